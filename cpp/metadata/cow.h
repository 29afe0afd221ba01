#pragma once

#include <memory>

namespace ringlog::metadata {

// A part of an image, shared by all images in which it is the same. Reading is what -> does; the
// first edit() after a copy, on either side, makes a copy of the part of its own. One thread at a
// time copies and edits; any number read what is published and no longer edited.
template <typename T>
class copy_on_write {
 public:
  copy_on_write() : value_(std::make_shared<T>()), owned_(true) {}
  copy_on_write(const copy_on_write& other) : value_(other.share()) {}
  copy_on_write& operator=(const copy_on_write& other) {
    value_ = other.share();
    owned_ = false;
    return *this;
  }

  const T& operator*() const { return *value_; }
  const T* operator->() const { return value_.get(); }

  // Valid until the next copy.
  T& edit() {
    if (!owned_) value_ = std::make_shared<T>(*value_);
    owned_ = true;
    return *value_;
  }

  bool is_shared_with(const copy_on_write& other) const { return value_ == other.value_; }

 private:
  std::shared_ptr<T> share() const {
    if (owned_) owned_ = false;
    return value_;
  }

  std::shared_ptr<T> value_;
  mutable bool owned_ = false;
};

}  // namespace ringlog::metadata
