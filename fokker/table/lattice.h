#pragma once
#include <vector>

#include "fokker/table/distribution.h"
#include "fokker/table/schema.h"

namespace fokker {

/// The width of the cells that a column's values are rounded to: 1 of whole numbers, a power of ten of
/// decimals, days, hours, minutes or seconds of dates; 0 where they are not rounded, or where float64 does
/// not tell the middle of a cell from its edges.
double cell_width(const Column& column, const std::vector<double>& values);

/// That width, or of whole numbers and dates the multiple of it by which all values differ (eight of them or
/// more: fewer may do so by chance).
double lattice_width(const Column& column, const std::vector<double>& distinct);

/// Between which neighbouring values of a column others may come: by `between` (`sparse`: as follows; `all`
/// wherever a cell is between). For each gap between neighbouring values of a column, rounded to multiples of
/// `width`, whether rows would lie in it had there been more of them: there are cells between that no row
/// has, and of the rows' density on the sparser side (up to three values, over their cells and the gap's)
/// fewer than four rows would be expected in these. Where many would, and none is there, the gap is real:
/// between the codes 1, 2, 5 of 60 rows no 3 is missed.
std::vector<bool> open_gaps(const ValueCounts& column, double width, Between between = Between::sparse);

/// Whether values between those seen belong to a column: a gap is open, and the values beside open gaps have
/// no more rows than chance puts on a few cells of many: where they come again and again (twice
/// as often), such as the prices of a list, they are all that there are.
bool goes_on_between(const ValueCounts& column, double width);

/// The values of a column and those in its open gaps, rising; empty where the latter are more than `most`.
std::vector<double> with_values_between(const ValueCounts& column, double width, Between between,
                                        int64_t most);

}  // namespace fokker
