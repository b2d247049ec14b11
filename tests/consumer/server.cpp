// A server: loads a model once, and threads of the program draw samples for many requests at a time.
#include <fokker/fokker.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <thread>
#include <vector>

using namespace fokker;

/// What stays loaded. The frozen denoiser has the weights laid out for sampling and no state: any number of
/// threads may use it at once.
class Server {
 public:
  explicit Server(const std::filesystem::path& folder)
      : model_(load_model(folder)),
        denoiser_(sampling_denoiser(model_)),
        frozen_(denoiser_->frozen()),
        grid_(usual_grid(model_.spec.process, 12)) {}

  /// Rows for one request, in the user's units. The request's seed decides them, whoever else asks meanwhile.
  Tensor answer(int64_t rows, uint64_t seed) const {
    const Denoiser& denoiser = frozen_ ? *frozen_ : *denoiser_;
    return model_.normalisation.invert(generate(denoiser, UniPc(), grid_, {rows, 2}, Rng(seed)).x);
  }

 private:
  Model model_;
  std::shared_ptr<const Denoiser> denoiser_, frozen_;
  TimeGrid grid_;
};

/// A model to serve: a real server finds one that was trained elsewhere.
void train_and_save(const std::filesystem::path& folder) {
  const Dataset data{.values = Rng(1).normal({2000, 2}, {}, at::kDouble) + 5, .columns = {"x", "y"}};
  save_model(folder, train(data, {.options = {.steps = 200}}, Rng(0)));
}

int main() try {
  set_log_sink([](LogLevel, std::string_view text) {
    std::fprintf(stderr, "server: %.*s\n", static_cast<int>(text.size()), text.data());
  });
  keep_freed_memory();
  const auto folder = std::filesystem::temp_directory_path() / "fokker-server";
  train_and_save(folder);
  const Server server(folder);
  std::filesystem::remove_all(folder);

  constexpr int requests = 64, threads = 4;
  std::vector<Tensor> answers(requests);
  std::atomic<int> next = 0;
  {
    std::vector<std::jthread> pool;
    for (int i = 0; i < threads; ++i)
      pool.emplace_back([&] {
        set_threads(1);  // the requests are what runs side by side
        for (int request; (request = next++) < requests;)
          answers[request] = server.answer(100, static_cast<uint64_t>(request));
      });
  }
  for (int request = 0; request < requests; ++request)
    if (!at::equal(answers[request], server.answer(100, static_cast<uint64_t>(request)))) {
      std::fprintf(stderr, "server: request %d had another answer than alone\n", request);
      return 1;
    }
  const double mean = at::cat(answers).mean().item<double>();
  std::printf("server: %d requests on %d threads, each as if alone; mean %.2f (5 of the data)\n", requests,
              threads, mean);
  return std::abs(mean - 5) < 0.2 ? 0 : 1;
} catch (const Error& error) {
  std::fprintf(stderr, "server: %s\n", error.what());
  return static_cast<int>(error.kind());
}
