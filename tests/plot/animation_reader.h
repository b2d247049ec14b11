#pragma once
// Animated files as a viewer shows them: whole frames, their durations, and how often they play.
#include <gif_lib.h>
#include <webp/demux.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "fokker/core/check.h"
#include "fokker/core/tensor.h"

namespace fokker::plot {

struct ReadAnimation {
  std::vector<Tensor> frames = {};  // uint8 (3, h, w)
  std::vector<int> milliseconds = {};
  int loops = -1;
};

inline ReadAnimation read_webp(const std::string& bytes) {
  const WebPData data{reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()};
  const std::unique_ptr<WebPAnimDecoder, void (*)(WebPAnimDecoder*)> decoder(
      WebPAnimDecoderNew(&data, nullptr), WebPAnimDecoderDelete);
  check(decoder != nullptr, "not an animated WebP");
  WebPAnimInfo info;
  WebPAnimDecoderGetInfo(decoder.get(), &info);
  ReadAnimation read;
  read.loops = static_cast<int>(info.loop_count);
  int before = 0;
  while (WebPAnimDecoderHasMoreFrames(decoder.get())) {
    uint8_t* pixels = nullptr;
    int end = 0;
    check(WebPAnimDecoderGetNext(decoder.get(), &pixels, &end), "damaged WebP");
    const Tensor rgba = at::from_blob(pixels, {info.canvas_height, info.canvas_width, 4}, at::kByte);
    read.frames.push_back(rgba.narrow(2, 0, 3).permute({2, 0, 1}).contiguous());
    read.milliseconds.push_back(end - before);
    before = end;
  }
  return read;
}

/// Bytes that giflib has not read yet.
inline int read_gif_bytes(GifFileType* gif, GifByteType* to, int size) {
  auto& rest = *static_cast<std::string_view*>(gif->UserData);
  const size_t count = std::min(rest.size(), static_cast<size_t>(size));
  std::memcpy(to, rest.data(), count);
  rest.remove_prefix(count);
  return static_cast<int>(count);
}

inline void paint(const SavedImage& image, int transparent, Tensor canvas) {
  const GifImageDesc& place = image.ImageDesc;
  auto pixels = canvas.accessor<uint8_t, 3>();
  for (int y = 0; y < place.Height; ++y)
    for (int x = 0; x < place.Width; ++x) {
      const int index = image.RasterBits[y * place.Width + x];
      if (index == transparent) continue;
      const GifColorType colour = place.ColorMap->Colors[index];
      const int64_t row = place.Top + y, column = place.Left + x;
      pixels[0][row][column] = colour.Red;
      pixels[1][row][column] = colour.Green;
      pixels[2][row][column] = colour.Blue;
    }
}

inline ReadAnimation read_gif(const std::string& bytes) {
  std::string_view rest = bytes;
  int code = 0;
  const std::unique_ptr<GifFileType, void (*)(GifFileType*)> gif(
      DGifOpen(&rest, read_gif_bytes, &code), [](GifFileType* file) { DGifCloseFile(file, nullptr); });
  check(gif != nullptr && DGifSlurp(gif.get()) == GIF_OK, "not a readable GIF");
  ReadAnimation read;
  read.loops = 1;  // where no extension says otherwise
  Tensor canvas = at::zeros({3, gif->SHeight, gif->SWidth}, at::kByte);
  for (int i = 0; i < gif->ImageCount; ++i) {
    const SavedImage& image = gif->SavedImages[i];
    GraphicsControlBlock control;
    check(DGifSavedExtensionToGCB(gif.get(), i, &control) == GIF_OK, "a GIF frame without a duration");
    for (int e = 0; e + 1 < image.ExtensionBlockCount; ++e) {
      const auto& [count, data, function] = image.ExtensionBlocks[e + 1];
      if (image.ExtensionBlocks[e].Function != APPLICATION_EXT_FUNC_CODE || count != 3) continue;
      const int repeats = data[1] | data[2] << 8;
      read.loops = repeats == 0 ? 0 : repeats + 1;
    }
    paint(image, control.TransparentColor, canvas);
    read.frames.push_back(canvas.clone());
    read.milliseconds.push_back(10 * control.DelayTime);
  }
  return read;
}

}  // namespace fokker::plot
