#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "fokker/core/text/spec_registry.h"
#include "fokker/target/distribution.h"
#include "fokker/target/gaussian_mixture.h"

namespace fokker {

/// Reads the rows of a data file: path -> (n, ...).
using RowLoader = std::function<Tensor(const std::string& path)>;

/// Makes the distribution that a text names:
///  - a name of target_names, with parameters as `name:key=value,key=value`;
///  - the path of a JSON file that describes a Gaussian mixture (see `read_gaussian_mixture`);
///  - `data:FILE`, the empirical distribution of the rows that `load_rows` returns.
/// An unknown name or key is refused with the list of valid ones.
std::unique_ptr<Distribution> make_target(const std::string& spec, const RowLoader& load_rows = {});

/// Of those that are named, ours and those registered.
std::vector<std::string> target_names();
std::vector<Description> target_descriptions();
/// Adds a target under a name. Argument error where the name is taken.
void register_target(const std::string& name, std::function<std::unique_ptr<Distribution>(Spec&)> make,
                     const std::string& summary = "");

/// Reads {"type": "gaussian_mixture", "weights": [...], "means": [[...]], "covariances": [...]}. Each
/// covariance is a number, a diagonal or a matrix. Input errors name the file and the key.
GaussianMixture read_gaussian_mixture(const std::string& path);

/// The mixture inside, or null where the distribution is not a Gaussian mixture.
const GaussianMixture* as_gaussian_mixture(const Distribution& distribution);

}  // namespace fokker
