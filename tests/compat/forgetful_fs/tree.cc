#include "tree.h"

#include <algorithm>

namespace forgetful {
namespace {

void touch(node& changed) { ::clock_gettime(CLOCK_REALTIME, &changed.changed); }

void apply_change(node::names& target, const node::name_change& change) {
  for (const auto& [name, child] : change) {
    if (child == nullptr) {
      target.erase(name);
    } else {
      target[name] = child;
    }
  }
}

bool lands_heads(std::mt19937_64* dice) { return dice != nullptr && (*dice)() % 2 == 0; }

}  // namespace

tree::tree() {
  auto root = std::make_shared<node>();
  root->number = next_number_++;
  root->is_directory = true;
  root->mode = 0755;
  root->lookups = 1;
  touch(*root);
  nodes_[root->number] = root;
}

node_ptr tree::find(std::uint64_t number) const {
  const auto found = nodes_.find(number);
  return found == nodes_.end() ? nullptr : found->second;
}

node_ptr tree::make(node& parent, const std::string& name, bool is_directory, mode_t mode) {
  auto made = std::make_shared<node>();
  made->number = next_number_++;
  made->is_directory = is_directory;
  made->mode = mode & 07777;
  touch(*made);
  nodes_[made->number] = made;
  change_names(parent, {{name, made}});
  return made;
}

void tree::change_names(node& directory, node::name_change change) {
  apply_change(directory.children, change);
  directory.pending_names.push_back(std::move(change));
  touch(directory);
}

void tree::write(node& file, std::uint64_t position, std::string_view source) {
  ++events["writes"];
  file.seen.write(position, source);
  for (std::uint64_t at = position / page_size; at * page_size < position + source.size(); ++at) {
    file.dirty_pages.insert(at);
  }
  touch(file);
}

void tree::resize(node& file, std::uint64_t size) {
  const std::uint64_t low = std::min(size, file.seen.size());
  const std::uint64_t high = std::max(file.seen.size(), file.durable.size());
  file.seen.resize(size);
  if (low < high) {  // pages cut, and a last one with zeros
    for (std::uint64_t at = low / page_size; at * page_size < high; ++at) {
      file.dirty_pages.insert(at);
    }
  }
  touch(file);
}

void tree::sync(node& file) {
  ++events["file syncs"];
  file.durable = file.seen;
  file.dirty_pages.clear();
}

void tree::sync_range(node& file, std::uint64_t position, std::uint64_t size) {
  ++events["durable writes"];
  file.durable.resize(file.seen.size());
  for (std::uint64_t at = position / page_size; at * page_size < position + size; ++at) {
    file.durable.take_page(file.seen, at);
    file.dirty_pages.erase(at);
  }
}

void tree::sync_names(node& directory) {
  ++events["directory syncs"];
  for (const node::name_change& change : directory.pending_names) {
    apply_change(directory.durable_children, change);
  }
  directory.pending_names.clear();
  collect();
}

void tree::forget(std::optional<std::uint64_t> seed) {
  std::mt19937_64 random(seed.value_or(0));
  std::mt19937_64* dice = seed ? &random : nullptr;
  for (const auto& [_, each] : nodes_) {
    if (each->is_directory) {
      forget_names(*each, dice);
    } else {
      forget_bytes(*each, dice);
    }
  }
  ++generation_;
  collect();
}

void tree::forget_names(node& directory, std::mt19937_64* dice) {
  for (const node::name_change& change : directory.pending_names) {
    const bool kept = lands_heads(dice);
    if (kept) apply_change(directory.durable_children, change);
    ++events[kept ? "names kept" : "names forgotten"];
  }
  directory.pending_names.clear();
  directory.children = directory.durable_children;
}

void tree::forget_bytes(node& file, std::mt19937_64* dice) {
  if (file.seen.size() != file.durable.size()) {
    const bool kept = lands_heads(dice);
    if (kept) file.durable.resize(file.seen.size());
    ++events[kept ? "sizes kept" : "sizes forgotten"];
  }
  const std::uint64_t size = file.durable.size();
  const std::uint64_t written = std::min(size, file.seen.size());  // beyond it the size decides
  for (const std::uint64_t at : file.dirty_pages) {
    const bool kept = at * page_size < written && lands_heads(dice);
    if (kept) file.durable.take_page(file.seen, at);
    ++events[kept ? "pages kept" : "pages forgotten"];
  }
  file.durable.resize(size);
  file.dirty_pages.clear();
  file.seen = file.durable;
}

void tree::collect() {
  std::erase_if(nodes_, [](const auto& entry) {
    return entry.second.use_count() == 1 && entry.second->lookups == 0;
  });
}

}  // namespace forgetful
