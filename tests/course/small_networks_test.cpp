#include "fokker/course/problem/small_networks.h"

#include "support.h"

namespace fokker {
namespace {

// The notebook's network as PyTorch's Sequential names it: Linear(2, 256), three times Linear(256, 256),
// Linear(256, 1).
TEST(NotebookFit, IsTheNotebooksNetwork) {
  const Mlp network(notebook_fit().network);
  const std::vector<std::vector<int64_t>> shapes = {{256, 2}, {256},      {256, 256}, {256},    {256, 256},
                                                    {256},    {256, 256}, {256},      {1, 256}, {1}};
  ASSERT_EQ(network.parameters().size(), shapes.size());
  for (size_t i = 0; i < shapes.size(); ++i) {
    const auto& [name, tensor] = network.parameters()[i];
    EXPECT_EQ(name, fmt::format("{}.{}", i / 2 * 2, i % 2 == 0 ? "weight" : "bias"));
    EXPECT_EQ(tensor.sizes().vec(), shapes[i]) << name;
  }
}

}  // namespace
}  // namespace fokker
