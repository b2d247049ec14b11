#pragma once

namespace fokker::bench {

/// Processor time of guided sampling over twice that of plain sampling, and of one estimate of a doubled
/// batch over those of its halves; medians of alternations, a line each.
void print_guidance_cost();

}  // namespace fokker::bench
