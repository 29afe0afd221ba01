#include "paged_bytes.h"

#include <algorithm>

namespace forgetful {

std::string paged_bytes::read(std::uint64_t position, std::size_t count) const {
  if (position >= size_) return {};
  std::string found(std::min<std::uint64_t>(count, size_ - position), '\0');
  for (std::size_t done = 0; done < found.size();) {
    const std::uint64_t inside = (position + done) % page_size;
    const std::size_t step = std::min<std::uint64_t>(page_size - inside, found.size() - done);
    const auto stored = pages_.find((position + done) / page_size);
    if (stored != pages_.end()) {
      std::copy_n(stored->second->begin() + inside, step, found.begin() + static_cast<long>(done));
    }
    done += step;
  }
  return found;
}

paged_bytes::page& paged_bytes::own_page(std::uint64_t index) {
  page_ptr& stored = pages_[index];
  if (stored == nullptr) {
    stored = std::make_shared<page>();
  } else if (stored.use_count() > 1) {
    stored = std::make_shared<page>(*stored);
  }
  return *stored;
}

void paged_bytes::write(std::uint64_t position, std::string_view source) {
  for (std::size_t done = 0; done < source.size();) {
    const std::uint64_t inside = (position + done) % page_size;
    const std::size_t step = std::min<std::uint64_t>(page_size - inside, source.size() - done);
    std::ranges::copy(source.substr(done, step),
                      own_page((position + done) / page_size).begin() + inside);
    done += step;
  }
  size_ = std::max(size_, position + source.size());
}

void paged_bytes::resize(std::uint64_t size) {
  if (size <= size_) {
    pages_.erase(pages_.lower_bound((size + page_size - 1) / page_size), pages_.end());
    const std::uint64_t inside = size % page_size;
    if (inside > 0 && pages_.contains(size / page_size)) {
      page& last = own_page(size / page_size);
      std::fill(last.begin() + inside, last.end(), '\0');
    }
  }
  size_ = size;
}

void paged_bytes::take_page(const paged_bytes& other, std::uint64_t index) {
  const auto source = other.pages_.find(index);
  if (source == other.pages_.end()) {
    pages_.erase(index);
  } else {
    pages_[index] = source->second;
  }
}

}  // namespace forgetful
