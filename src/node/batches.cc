#include "node/batches.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace brigade::node {
namespace {

// Where the messages of one kind to one node are put together.
struct Batch {
  NodeId to;
  base::TimePoint expires;
  std::size_t at = 0;  // in the list
  std::size_t count = 0;
};

// One is left as it is; with the second it becomes a batch.
template <class One, class Many>
void add(Send& into, std::vector<One> Many::* list, One&& one) {
  if (auto* first = std::get_if<One>(&into.message)) {
    Many many;
    (many.*list).push_back(std::move(*first));
    into.message = std::move(many);
  }
  (std::get<Many>(into.message).*list).push_back(std::move(one));
}

template <class One, class Many>
void gather_kind(std::vector<Send>& sends, std::vector<One> Many::* list) {
  std::vector<Batch> batches;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < sends.size(); ++i) {
    Send& send = sends[i];
    if (auto* one = std::get_if<One>(&send.message)) {
      const auto batch = std::find_if(batches.rbegin(), batches.rend(), [&](const Batch& b) {
        return b.to == send.to && b.expires == send.expires;
      });
      if (batch != batches.rend() && batch->count < AskBatch::kMost) {
        ++batch->count;
        add(sends[batch->at], list, std::move(*one));
        continue;
      }
      batches.push_back({.to = send.to, .expires = send.expires, .at = kept, .count = 1});
    }
    if (kept != i) {
      sends[kept] = std::move(send);
    }
    ++kept;
  }
  sends.erase(sends.begin() + static_cast<std::ptrdiff_t>(kept), sends.end());
}

}  // namespace

void gather(std::vector<Send>& sends) {
  gather_kind(sends, &AskBatch::asks);
  gather_kind(sends, &ToldBatch::tolds);
}

}  // namespace brigade::node
