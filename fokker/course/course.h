#pragma once
/// Checks of the theory, the gallery of its figures, and reports: target fokker::course.

#include "fokker/course/gallery/gallery.h"
#include "fokker/course/problem/gaussian_inverse.h"
#include "fokker/course/problem/guided_law.h"
#include "fokker/course/problem/joint_gaussian.h"
#include "fokker/course/problem/known_diffusions.h"
#include "fokker/course/problem/labelled_mixture.h"
#include "fokker/course/problem/linear_mixture.h"
#include "fokker/course/problem/small_networks.h"
#include "fokker/course/verify/suite.h"
#include "fokker/report/report.h"
