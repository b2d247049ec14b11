#pragma once
/// Figures, image grids and animations: target fokker::plot.

#include "fokker/plot/chart/charts.h"
#include "fokker/plot/film/animation.h"
#include "fokker/plot/mark/image_grid.h"
