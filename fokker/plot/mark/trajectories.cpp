#include "fokker/plot/mark/trajectories.h"

#include <algorithm>

#include "fokker/core/check.h"
#include "fokker/plot/chart/values.h"
#include "fokker/plot/mark/lines.h"
#include "fokker/plot/mark/scatter.h"

namespace fokker::plot {

void add_planar_trajectories(Axes& axes, const Tensor& paths, const TrajectoryOptions& options) {
  check(options.highlighted >= 0 && options.most >= 0,
        "trajectories: expected highlighted >= 0 and most >= 0 but received {} and {}", options.highlighted,
        options.most);
  const Tensor all = finite_values("trajectories", paths, {-1, -1, 2});
  check_input(all.numel() > 0, "trajectories: expected at least one state but received {}",
              shape_string(paths));
  const int64_t thin = std::min(options.most, all.size(0)),
                thick = std::min(options.highlighted, all.size(0));
  const SeriesColour colour = axes.next_colour(options.colour);
  if (thin > 0) add_paths(axes, all.narrow(0, 0, thin), {.label = options.label, .colour = colour});
  for (int64_t i = 0; i < thick; ++i) {
    // Evenly among the paths, so that rows sorted by anything are all represented.
    const Tensor path = all[i * all.size(0) / thick];
    const SeriesColour own = axes.next_colour();
    add_paths(axes, path.unsqueeze(0), {.colour = own, .width = 1.8, .alpha = 1.0});
    add_scatter(axes, path.narrow(0, path.size(0) - 1, 1),
                {.colour = own, .radius = 4.0, .alpha = 1.0, .over_frame = true});
  }
}

void add_trajectories(Axes& axes, const Tensor& times, const Tensor& states,
                      const TrajectoryOptions& options) {
  const Tensor t = finite_values("trajectories", times, {-1});
  const Tensor x = finite_values("trajectories", states, {-1, t.size(0)});
  add_planar_trajectories(axes, at::stack({t.expand_as(x), x}, 2), options);
}

}  // namespace fokker::plot
