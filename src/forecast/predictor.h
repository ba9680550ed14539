// What a model of load must do: follow a series of equidistant samples and say what comes.
//
// A model only says the mean; how far to trust it is learned by whoever rehearses it
// (rehearsal.h), in the same way for every model. Doubles are allowed here, and only here: the
// build forbids fused operations, and whoever decides by a forecast quantises it first.
//
// Threads: single-threaded. Memory: bounded by each model's constructor.
#pragma once

#include <string_view>

namespace brigade::forecast {

class Predictor {
 public:
  Predictor() = default;
  Predictor(const Predictor&) = delete;
  Predictor& operator=(const Predictor&) = delete;
  virtual ~Predictor() = default;

  // As reports name it.
  [[nodiscard]] virtual std::string_view name() const = 0;
  // The next sample. Requires: finite.
  virtual void observe(double sample) = 0;
  // The sample expected `steps` after the latest; zero before the first. Requires: steps >= 1.
  [[nodiscard]] virtual double forecast(int steps) const = 0;
};

}  // namespace brigade::forecast
