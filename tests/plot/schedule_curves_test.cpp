#include "fokker/plot/chart/schedule_curves.h"

#include "pixels.h"
#include "plot/refusal.h"

namespace fokker::plot {
namespace {

// The first line of each panel passes through the process's own values, in its colour.
TEST(ScheduleCurves, PassThroughTheProcess) {
  const Schedule vp = make_schedule("vp");
  const Figure figure = schedule_curves({{"vp", vp}, {"ve", make_schedule("ve")}});
  const auto panels = figure.layout().panels;
  const Tensor image = figure.render();
  const double t = 0.3;
  const std::vector<double> values{vp.alpha(t), vp->sigma(t), vp->log_snr(t), vp->diffusion_squared(t)};
  for (size_t i = 0; i < 4; ++i)
    EXPECT_LT(darkest(image, panels[i].transform.to_pixel({t, values[i]}), 1), 130) << i;
  EXPECT_EQ(panels[1].transform.y_scale, Scale::logarithmic) << "sigma of ve reaches 50";
  EXPECT_EQ(schedule_curves({{"vp", vp}}).layout().panels[1].transform.y_scale, Scale::linear);
  EXPECT_EQ(figure.options().legend.size(), 2u);
  expect_refusal(ErrorKind::argument, "at least one schedule", [] { schedule_curves({}); });
}

}  // namespace
}  // namespace fokker::plot
