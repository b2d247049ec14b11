#pragma once
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fokker/core/text/spec.h"

namespace fokker {

/// What a list or a help text says of one name.
struct Description {
  std::string name;
  std::string summary;     ///< one line
  std::string parameters;  ///< "noise=0.1, ..." with the usual values
};

namespace detail {
/// Argument error unless the name can be written in a Spec, makes something and is not `known`.
void check_entry(const std::string& kind, const std::string& name, bool makes, bool known);
}  // namespace detail

/// What can be made by a Spec of one kind: ours, and what a program adds. A maker takes its parameters from
/// the spec; that it asks for them is also what lists them. Safe to use from several threads.
template <typename Product, typename... Arguments>
class Registry {
 public:
  using Make = std::function<Product(Spec& spec, const Arguments&... arguments)>;
  struct Entry {
    std::string name;
    std::string summary;  ///< one line
    Make make;
  };

  /// `kind` names the things in messages, for example "process".
  Registry(std::string kind, std::vector<Entry> entries)
      : kind_(std::move(kind)), entries_(std::move(entries)) {}

  /// Argument error where the name is taken, or cannot be written in a spec.
  void add(Entry entry) {
    const std::lock_guard<std::mutex> lock(mutex_);
    detail::check_entry(kind_, entry.name, static_cast<bool>(entry.make), find(entry.name) != nullptr);
    entries_.push_back(std::move(entry));
  }

  bool contains(std::string_view name) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return find(name) != nullptr;
  }

  /// Argument error for an unknown name, which lists the valid ones, and for an unknown parameter.
  Product make(std::string_view text, const Arguments&... arguments) const {
    Spec spec(kind_, text);
    const Make maker = maker_of(spec.name());
    if (!maker) spec.unknown_name(names());
    Product product = maker(spec, arguments...);
    spec.finish();
    return product;
  }

  std::vector<std::string> names() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::vector<std::string> names;
    for (const Entry& entry : entries_) names.push_back(entry.name);
    return names;
  }

  /// Found by making each one with its usual parameters.
  std::vector<Description> descriptions(const Arguments&... arguments) const {
    std::vector<Description> all;
    for (const Entry& entry : entries()) {
      Spec spec(kind_, entry.name);
      entry.make(spec, arguments...);
      all.push_back({entry.name, entry.summary, spec.parameters()});
    }
    return all;
  }

 private:
  const Entry* find(std::string_view name) const {
    for (const Entry& entry : entries_)
      if (entry.name == name) return &entry;
    return nullptr;
  }
  /// A copy, as makers may register and make others.
  Make maker_of(std::string_view name) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    const Entry* entry = find(name);
    return entry ? entry->make : Make();
  }
  std::vector<Entry> entries() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return entries_;
  }

  std::string kind_;
  mutable std::mutex mutex_;
  std::vector<Entry> entries_;
};

}  // namespace fokker
