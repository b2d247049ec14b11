#include <map>
#include <mutex>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/text/text.h"
#include "fokker/nn/mlp/mlp.h"
#include "fokker/nn/table/table_network.h"
#include "fokker/nn/unet/unet.h"

namespace fokker {
namespace {

struct NetworkEntry {
  NetworkMaker maker;
  bool ours = false;
};

struct NetworkRegistry {
  std::mutex mutex;
  std::map<std::string, NetworkEntry, std::less<>> entries;

  NetworkRegistry() {
    entries["FokkerMlp"] = {[](const Json& config, uint64_t seed) {
                              return std::make_unique<Mlp>(MlpOptions::from_config(config), seed);
                            },
                            true};
    entries["FokkerTableNetwork"] = {TableNetwork::from_config, true};
    for (const char* name : {"UNet2DModel", "UNet2DConditionModel"})
      entries[name] = {[](const Json& config, uint64_t seed) {
                         return std::make_unique<UNet>(UNetOptions::from_config(config), seed);
                       },
                       true};
  }
};

NetworkRegistry& network_registry() {
  static NetworkRegistry registry;
  return registry;
}

/// The maker of that name, which is copied so that it runs without the lock; empty where there is none.
NetworkMaker find_network_maker(const std::string& name) {
  NetworkRegistry& registry = network_registry();
  const std::lock_guard lock(registry.mutex);
  const auto found = registry.entries.find(name);
  return found == registry.entries.end() ? NetworkMaker() : found->second.maker;
}

}  // namespace

void register_network(const std::string& name, NetworkMaker maker) {
  check(!name.empty() && maker != nullptr,
        "register_network: expected a name and a maker but received {} for \"{}\"",
        maker ? "a maker" : "no maker", name);
  NetworkRegistry& registry = network_registry();
  const std::lock_guard lock(registry.mutex);
  NetworkEntry& entry = registry.entries[name];
  check(!entry.ours,
        "register_network: expected a name of your own but received \"{}\", which is this library's", name);
  entry.maker = std::move(maker);
}

std::vector<std::string> network_names() {
  NetworkRegistry& registry = network_registry();
  const std::lock_guard lock(registry.mutex);
  std::vector<std::string> names;
  for (const auto& [name, entry] : registry.entries) names.push_back(name);
  return names;
}

std::unique_ptr<Network> make_network(const Json& config, uint64_t seed) try {
  check_input(config.is_object(), "network configuration: expected a JSON object but received {}",
              config.type_name());
  const auto name = config.find("_class_name");
  check_input(name != config.end(),
              "network configuration: expected \"_class_name\", one of {}, but received none",
              join(network_names()));
  const NetworkMaker maker =
      name->is_string() ? find_network_maker(name->get<std::string>()) : NetworkMaker();
  check_input(maker != nullptr,
              "network configuration: expected _class_name to be one of {} but received {}; a program's own "
              "network must be registered (register_network) before it is loaded",
              join(network_names()), name->dump());
  try {
    auto network = maker(config, seed);
    check(network != nullptr,
          "network configuration: expected the maker of {} to return a network but it returned none",
          name->dump());
    return network;
  } catch (const Error& error) {
    // A configuration is read from outside, so a bad value in it is bad input.
    if (error.kind() == ErrorKind::argument) throw Error(ErrorKind::input, error.what());
    throw;
  } catch (const Json::exception& error) {
    fail(ErrorKind::input, "network configuration of {}: {}", name->dump(), error.what());
  }
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
