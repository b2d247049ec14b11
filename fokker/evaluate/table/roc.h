#pragma once
#include <vector>

namespace fokker {

/// The area under the receiver operating characteristic: the probability that a positive's score is above a
/// negative's, ties counted half.
struct RocArea {
  double area = 0.5;
  double variance = 0;  ///< over draws of the rows that were scored (DeLong, DeLong and Clarke-Pearson 1988)
};
/// O((n + m) log(n + m)). Argument error where one of them is empty; the variance asks for two of each, else
/// it is NaN.
RocArea roc_area(const std::vector<double>& positives, const std::vector<double>& negatives);

}  // namespace fokker
