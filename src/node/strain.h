// Whether this node is too busy to be given more: by its CPU, its memory, or the time that work
// waits for its loop (semantics 7, pressure).
//
// Each sign counts after two samples in a row and ends well below where it began, so that a node
// does not change its word with every sample.
// Source: Zhou et al., Overload Control for Scaling WeChat Microservices (DAGOR), SoCC 2018:
// waiting time, not response time, tells overload; 20 ms of it.
#pragma once

#include "node/admin.h"
#include "node/messages.h"

namespace brigade::node {

class Strain {
 public:
  // A sample of the last second or so.
  void observe(const LoadView& load);
  [[nodiscard]] bool pressed() const { return cpu_.on || memory_.on || queue_.on; }

 private:
  struct Sign {
    bool on = false;
    int above = 0;
    void observe(double value, double begins, double ends);
  };

  Sign cpu_;
  Sign memory_;
  Sign queue_;
};

// What members tell each other of their load, and back.
LoadDigest digest_of(const LoadView& load);
LoadView view_of(const LoadDigest& digest);

}  // namespace brigade::node
