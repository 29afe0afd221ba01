// The canary: reads one byte past its buffer for inputs that begin with "ring". The runner demands
// that this fuzzer fails: it proves that coverage guides the search and that the alarm works.
#include <cstddef>
#include <cstdint>
#include <memory>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr char word[] = {'r', 'i', 'n', 'g'};
  size_t matched = 0;
  while (matched < sizeof word && matched < size && data[matched] == word[matched]) ++matched;
  auto buffer = std::make_unique<uint8_t[]>(sizeof word);
  volatile uint8_t sink = 0;
  if (matched > 0) sink = buffer.get()[matched];
  static_cast<void>(sink);
  return 0;
}
