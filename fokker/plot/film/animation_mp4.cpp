#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstring>

#include "fokker/core/check.h"
#include "fokker/core/file/files.h"
#include "fokker/core/file/unfinished.h"
#include "fokker/plot/film/frame_encoder.h"

extern char** environ;

namespace fokker::plot {
namespace {

namespace fs = std::filesystem;

/// A folder of its own under the system's temporary one, removed with its content.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (fs::temp_directory_path() / "fokker-XXXXXX").string();
    if (!::mkdtemp(name.data()))
      fail(ErrorKind::resource, "{}: cannot create a temporary folder: {}", name, std::strerror(errno));
    folder_.emplace(name);
  }
  fs::path operator/(const char* name) const { return folder_->path() / name; }

 private:
  std::optional<Unfinished> folder_;
};

/// A running ffmpeg that reads raw frames from a socket: writing to one that has ended is an error, not a
/// signal.
class Ffmpeg {
 public:
  Ffmpeg(const std::vector<std::string>& arguments, const fs::path& messages) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
      fail(ErrorKind::resource, "animation: no socket for ffmpeg: {}", std::strerror(errno));
    std::vector<char*> words;
    words.reserve(arguments.size() + 1);
    for (const auto& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
    words.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDIN_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, messages.c_str(), O_WRONLY | O_CREAT, 0600);
    const int code = ::posix_spawnp(&process_, "ffmpeg", &actions, nullptr, words.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    frames_ = ends[0];
    if (code == 0) return;
    process_ = -1;
    ::close(frames_);
    if (code == ENOENT)
      fail(ErrorKind::failed,
           "animation: an MP4 needs the program ffmpeg, which is not installed; .webp and .gif do without");
    fail(ErrorKind::failed, "animation: ffmpeg cannot be started: {}", std::strerror(code));
  }
  ~Ffmpeg() {
    if (process_ < 0) return;
    ::kill(process_, SIGKILL);
    wait();
  }
  Ffmpeg(const Ffmpeg&) = delete;
  Ffmpeg& operator=(const Ffmpeg&) = delete;

  /// False where it has ended.
  bool write(const uint8_t* data, size_t size) const {
    while (size > 0) {
      const ssize_t sent = ::send(frames_, data, size, MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent <= 0) return false;
      data += sent;
      size -= static_cast<size_t>(sent);
    }
    return true;
  }

  /// Ends its input and waits; true where it succeeded.
  bool wait() {
    ::close(frames_);
    int status = 0;
    while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
    }
    process_ = -1;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }

 private:
  pid_t process_ = -1;
  int frames_ = -1;
};

class Mp4Encoder final : public FrameEncoder {
 public:
  Mp4Encoder(int width, int height, const AnimationOptions& options)
      : rate_(options.frames_per_second), ffmpeg_(arguments(width, height), folder_ / "messages") {}

  void add(const Tensor& rgb, double begin, double end) override {
    // A frame that stands longer is sent several times.
    const int64_t count = std::lround(end * rate_) - std::lround(begin * rate_);
    for (int64_t i = 0; i < count; ++i)
      if (!ffmpeg_.write(rgb.data_ptr<uint8_t>(), static_cast<size_t>(rgb.numel()))) refuse();
  }

  std::string finish() override {
    if (!ffmpeg_.wait()) refuse();
    return read_file(folder_ / "film.mp4");
  }

 private:
  /// H.264 as every browser plays it: 4:2:0, which needs even sides, with its index in front.
  std::vector<std::string> arguments(int width, int height) const {
    return {"ffmpeg",
            "-hide_banner",
            "-loglevel",
            "error",
            "-nostdin",
            "-f",
            "rawvideo",
            "-pixel_format",
            "rgb24",
            "-video_size",
            fmt::format("{}x{}", width, height),
            "-framerate",
            fmt::format("{}", rate_),
            "-i",
            "pipe:0",
            "-vf",
            "pad=ceil(iw/2)*2:ceil(ih/2)*2,scale=out_color_matrix=bt709:out_range=tv",
            "-colorspace",
            "bt709",
            "-color_primaries",
            "bt709",
            "-color_trc",
            "bt709",
            "-c:v",
            "libx264",
            "-crf",
            "18",
            "-pix_fmt",
            "yuv420p",
            "-movflags",
            "+faststart",
            "-f",
            "mp4",
            "file:" + (folder_ / "film.mp4").string()};
  }

  [[noreturn]] void refuse() const {
    std::string text = read_file(folder_ / "messages").substr(0, 300);
    text = text.substr(0, text.find('\n'));
    fail(ErrorKind::failed, "animation: ffmpeg failed: {}", text.empty() ? "it was stopped" : text);
  }

  double rate_;
  ScratchFolder folder_;
  Ffmpeg ffmpeg_;
};

}  // namespace

std::unique_ptr<FrameEncoder> mp4_encoder(int width, int height, const AnimationOptions& options) {
  return std::make_unique<Mp4Encoder>(width, height, options);
}

}  // namespace fokker::plot
