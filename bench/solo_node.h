// A node that is a whole cluster by itself, in this process: the real node and the real codec; what
// it wants stored counts as durable at once.
#pragma once

#include <string>
#include <vector>

#include "bucket/limit_spec.h"
#include "host/clock.h"
#include "node/node.h"
#include "wire/store_codec.h"

namespace brigade::bench {

class SoloNode {
 public:
  explicit SoloNode(host::Clock& clock);

  // Declares these limits and returns when the node holds rights for every shared one; false when
  // that takes more than ten seconds.
  bool serve(std::vector<bucket::LimitSpec> limits);
  // One turn: timers, renewals, everything a loop would do now. What it wants done is valid until
  // the next.
  const node::Actions& turn();

  [[nodiscard]] node::Node& node() { return node_; }

 private:
  [[nodiscard]] bool serves(const std::vector<bucket::LimitSpec>& limits);

  host::Clock& clock_;
  wire::StoreCodec codec_;
  node::Node node_;
  node::Actions actions_;
};

}  // namespace brigade::bench
