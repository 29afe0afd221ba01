#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace forgetful {

constexpr std::size_t page_size = 4096;

// The bytes of a file, by pages; what was never written is zero and costs nothing. Copies share
// their pages until one of them writes.
class paged_bytes {
 public:
  using page = std::array<char, page_size>;
  using page_ptr = std::shared_ptr<page>;  // null: zeros

  std::uint64_t size() const { return size_; }
  std::size_t page_count() const { return pages_.size(); }

  std::string read(std::uint64_t position, std::size_t count) const;
  void write(std::uint64_t position, std::string_view source);

  // To its own size, too: then it clears what take_page left beyond it.
  void resize(std::uint64_t size);

  // Takes one page as it is in `other`. The size stays.
  void take_page(const paged_bytes& other, std::uint64_t index);

 private:
  page& own_page(std::uint64_t index);

  std::map<std::uint64_t, page_ptr> pages_;
  std::uint64_t size_ = 0;
};

}  // namespace forgetful
