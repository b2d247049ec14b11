#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "fokker/core/text/json.h"
#include "fokker/plot/figure/figure.h"

/// Self-contained HTML pages. Every text given here is text: it is escaped on its way into the page, so that
/// no name from a user's file can become markup. A page asks nothing of the network, follows the reader's
/// light or dark theme, and fits the width of a phone.
namespace fokker::report {

/// A picture as an <img>: where its bytes are in each theme.
struct Picture {
  std::string light = {};  ///< a data: URI, or a path relative to the page
  std::string dark = {};   ///< empty: the same picture in both
  std::string alt = {};    ///< what it shows, for readers who do not see it
  int width = 0;           ///< CSS pixels at its natural size
  int height = 0;
  bool pixelated = false;  ///< enlarged without smoothing
  /// Of an animation: the picture in each theme for readers who asked their system for less motion.
  std::string still = {};
  std::string still_dark = {};
};

/// Draws the same figure in both themes. `png` suits thousands of points (drawn at two device pixels per
/// pixel), `svg` lines and text.
using DrawFigure = std::function<plot::Figure(const plot::Theme&)>;
Picture embed(const DrawFigure& draw, std::string alt, plot::ImageFormat format = plot::ImageFormat::svg);
/// One picture for both themes from pixels, uint8 (c, height, width), c = 1 or 3; shown `scale` times as
/// large.
Picture embed_pixels(const Tensor& pixels, std::string alt, double scale = 1);
/// A file beside the page; `path` is relative to the page. Argument error where it is absolute or a URL.
Picture linked(const std::string& path, std::string alt, int width, int height,
               const std::string& dark_path = {});

struct Table {
  std::string caption = {};
  std::vector<std::string> columns = {};
  std::vector<std::vector<std::string>> rows = {};  ///< the first cell of a row is its heading
  bool folded = false;                              ///< shown when asked for
};

struct Figure {
  Picture picture;
  std::string caption = {};
  std::string link = {};  ///< where the picture leads when chosen: a relative path, or nothing
};

/// Two texts each: name and value, or text and address.
using Pairs = std::vector<std::pair<std::string, std::string>>;

/// Frames of pictures, shown one at a time by a slider. All have the size of the first.
struct PictureFrames {
  std::vector<Picture> frames =
      {};  ///< at most one is visible; only `light` and `dark` of those after the first count
  std::vector<std::string> labels = {};  ///< of each frame: "t = 0.25"
  std::string alt = {};
  std::string caption = {};
  std::string control = "Time";  ///< name of the slider
};

/// Frames of points in the plane, drawn by the page itself on exact axes.
struct PointFrames {
  Tensor frames = {};                    ///< (k, n, 2)
  Tensor reference = {};                 ///< (m, 2), drawn faintly behind every frame; or undefined
  std::vector<std::string> labels = {};  ///< k
  std::string name = "samples", reference_name = "data";
  std::string x_label = {}, y_label = {};
  plot::Range x_limits, y_limits;  ///< points outside are not drawn
  double aspect = 1;               ///< width over height of the box of the axes
  std::string alt = {};
  std::string caption = {};
  std::string control = "Time";
};

/// A page from top to bottom: each call adds one thing below the last. Argument errors name a link that is
/// not a relative path, #place, http: or https:, a picture without alternative text, a player whose labels do
/// not match its frames.
class Page {
 public:
  Page(std::string title, std::string summary);

  /// Starts a section; it is listed in the page's contents.
  Page& section(const std::string& heading);
  Page& heading(const std::string& text);  ///< one level below a section's
  Page& paragraph(const std::string& text);
  /// A paragraph in which x_t and x^2 are set as in captions.
  Page& prose(const std::string& text);
  /// A formula on a line of its own, in the notation of `Math`.
  Page& formula(const std::string& tex);
  /// Something the reader must not overlook: what is missing and why.
  Page& note(const std::string& text);
  /// Names and values, one below another.
  Page& facts(const Pairs& items);
  Page& table(const Table& table);
  /// Large numbers in a row, each with its name.
  Page& highlights(const Pairs& items);
  /// Figures side by side where the width allows, else one below another.
  Page& figures(const std::vector<Figure>& figures);
  /// A figure that needs its width: where there is less, it scrolls inside its own frame.
  Page& wide_figure(const Figure& figure);
  Page& player(const PictureFrames& frames);
  Page& player(const PointFrames& frames);
  /// Text that is folded away until asked for, in the typeface of code.
  Page& folded(const std::string& summary, const std::string& text);
  /// Links in a row: (text, address).
  Page& links(const Pairs& items);

  /// The whole document.
  std::string html() const;
  /// Writes it, whole or not at all.
  void save(const std::filesystem::path& file) const;

 private:
  struct Player {
    std::string alt, control;
    std::vector<std::string> labels;
    std::string caption;
    std::string legend;  ///< markup
    bool pixelated;
  };
  void add_player(const Player& player, const Json& data);
  /// Refuses a source that is not safe, and remembers whether the page needs files beside it.
  void note_source(const std::string& source);
  std::string policy() const;

  std::string title_, summary_, body_ = {};
  Pairs contents_ = {};  ///< (id, heading)
  int tables_ = 0;
  bool scripted_ = false, files_ = false;
};

}  // namespace fokker::report
