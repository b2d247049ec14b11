#pragma once

namespace fokker::report {

/// The style of every page: light and dark by the reader's preference, one column on a phone.
extern const char* const page_style;
/// The script of players: play, drag, arrow keys; draws frames of pictures or points on a canvas.
extern const char* const page_script;

}  // namespace fokker::report
