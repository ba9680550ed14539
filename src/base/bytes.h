// Immutable shared bytes: what Raft replicates and links carry without copying.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace brigade::base {

class Bytes {
 public:
  Bytes() = default;
  explicit Bytes(std::string content)
      : content_(content.empty() ? nullptr
                                 : std::make_shared<const std::string>(std::move(content))) {}

  [[nodiscard]] std::string_view view() const {
    return content_ ? std::string_view(*content_) : std::string_view();
  }
  [[nodiscard]] std::size_t size() const { return content_ ? content_->size() : 0; }
  [[nodiscard]] bool empty() const { return size() == 0; }

  friend bool operator==(const Bytes& a, const Bytes& b) { return a.view() == b.view(); }

 private:
  std::shared_ptr<const std::string> content_;
};

}  // namespace brigade::base
