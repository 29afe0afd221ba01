#pragma once

#include <memory>

namespace ringlog::metadata {

// A part of an image, shared by all images in which it is the same. Reading is what -> does; the
// first edit() after a copy makes a copy of the part of its own. One thread edits, before the image
// is published; a published image is never edited.
template <typename T>
class copy_on_write {
 public:
  copy_on_write() : value_(std::make_shared<T>()), owned_(true) {}
  copy_on_write(const copy_on_write& other) : value_(other.value_) {}
  copy_on_write& operator=(const copy_on_write& other) {
    value_ = other.value_;
    owned_ = false;
    return *this;
  }

  const T& operator*() const { return *value_; }
  const T* operator->() const { return value_.get(); }

  // Valid until the image is copied.
  T& edit() {
    if (!owned_) value_ = std::make_shared<T>(*value_);
    owned_ = true;
    return *value_;
  }

  bool shares_with(const copy_on_write& other) const { return value_ == other.value_; }

 private:
  std::shared_ptr<T> value_;
  bool owned_ = false;
};

}  // namespace ringlog::metadata
