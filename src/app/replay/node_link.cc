#include "app/replay/node_link.h"

#include <algorithm>
#include <system_error>
#include <utility>

namespace brigade::replay {

NodeLink::NodeLink(asio::io_context& io, const Stopwatch& watch, NodeTarget target,
                   Listener& listener)
    : io_(io), watch_(watch), target_(std::move(target)), listener_(listener) {}

void NodeLink::open(std::size_t connections) {
  for (std::size_t i = 0; i < connections; ++i) {
    slots_.push_back(std::make_unique<Slot>(io_));
    dial(*slots_.back());
  }
}

void NodeLink::dial(Slot& slot) {
  slot.dial = std::make_shared<net::Dial>(io_);
  slot.dial->begin(target_.address, kDialPatience,
                   [this, &slot](base::Result<asio::ip::tcp::socket> result) {
                     dialled(slot, std::move(result));
                   });
}

void NodeLink::dialled(Slot& slot, base::Result<asio::ip::tcp::socket> result) {
  slot.dial = nullptr;
  const bool first = std::exchange(slot.first, false);
  if (result) {
    slot.backoff = kBackoffMin;
    slot.pipeline = std::make_shared<Pipeline>(std::move(*result), watch_, *this);
    slot.pipeline->start();
  } else {
    dial_later(slot);
  }
  if (first) {
    listener_.first_dialled(result ? std::string()
                                   : "node " + target_.name + ": " + result.error().message);
  }
}

void NodeLink::dial_later(Slot& slot) {
  slot.retry.expires_after(slot.backoff);
  slot.backoff = std::min(slot.backoff * 2, kBackoffMax);
  slot.retry.async_wait([this, &slot](std::error_code error) {
    if (!error) {
      dial(slot);
    }
  });
}

void NodeLink::submit(std::uint32_t id, const Ask& ask) {
  Pipeline* best = nullptr;
  for (const auto& slot : slots_) {
    Pipeline* const pipeline = slot->pipeline.get();
    if (pipeline != nullptr && (best == nullptr || pipeline->outstanding() < best->outstanding())) {
      best = pipeline;
    }
  }
  if (best == nullptr) {
    listener_.failed(id, Fate::kNodeDown, Duration(0));
  } else if (outstanding_ >= kOutstandingMax) {
    listener_.failed(id, Fate::kOverflow, Duration(0));
  } else {
    ++outstanding_;
    best->add(id, ask);
  }
}

void NodeLink::flush() {
  for (const auto& slot : slots_) {
    // A connection that fails here takes itself out of its slot.
    if (const std::shared_ptr<Pipeline> pipeline = slot->pipeline) {
      pipeline->flush();
    }
  }
}

void NodeLink::expire(Duration sent_before) {
  for (const auto& slot : slots_) {
    const std::shared_ptr<Pipeline> pipeline = slot->pipeline;
    if (pipeline && pipeline->oldest_sent().value_or(sent_before) < sent_before) {
      pipeline->close();
      ended(*pipeline);
    }
  }
}

void NodeLink::close() {
  for (const auto& slot : slots_) {
    slot->retry.cancel();
    if (slot->dial) {
      slot->dial->cancel();
    }
    if (const std::shared_ptr<Pipeline> pipeline = std::exchange(slot->pipeline, nullptr)) {
      pipeline->close();
    }
  }
}

void NodeLink::answered(std::uint32_t id, Duration sent, Duration received, const Reply& reply) {
  --outstanding_;
  listener_.answered(id, sent, received, reply);
}

void NodeLink::lost(std::uint32_t id, std::optional<Duration> sent) {
  --outstanding_;
  listener_.failed(id, sent ? Fate::kUnanswered : Fate::kNodeDown, sent.value_or(Duration(0)));
}

void NodeLink::ended(const Pipeline& pipeline) {
  for (const auto& slot : slots_) {
    if (slot->pipeline.get() == &pipeline) {
      slot->pipeline = nullptr;
      dial_later(*slot);
      return;
    }
  }
}

}  // namespace brigade::replay
