#pragma once
#include <optional>

#include "cli/command.h"
#include "fokker/format/model.h"

namespace fokker::cli {

/// What "RUN" or "--target TARGET --process PROCESS" stands for: a denoiser in a space of its own, and the
/// way there from the user's units and back.
struct DenoiserSource {
  std::optional<Model> model;  ///< where it is a run
  std::unique_ptr<Denoiser> denoiser;
  Normalisation normalisation;
  std::vector<int64_t> event;
  at::TensorOptions type;  ///< what the denoiser computes in
  std::vector<std::string> columns;

  const GaussianProcess& process() const { return denoiser->process(); }
  /// Numbers in one event.
  int64_t dimension() const { return normalisation.dimension(); }
  /// Rows of a file in the denoiser's space, (n, event...). Input errors name the file where its shape is
  /// another.
  Tensor load(const std::string& file) const;
  /// To the user's units; on the CPU.
  Tensor to_user(const Tensor& x) const { return normalisation.invert(x.cpu()); }
};

/// Argument error unless exactly one of `run` and `target` is given. `process` (of a target) may be empty:
/// vp.
DenoiserSource open_denoiser(const CommonOptions& common, const std::string& run, const std::string& target,
                             const std::string& process);

}  // namespace fokker::cli
