#include "net/link.h"

#include <algorithm>
#include <utility>

namespace brigade::net {

Link::Link(MeshCommons& commons, Target target, Owner& owner)
    : commons_(commons), target_(std::move(target)), owner_(owner), retry_(commons.io) {}

Link::~Link() {
  if (dial_) {
    dial_->cancel();
  }
  if (stream_ && stream_->is_open()) {
    stream_->close();
  }
}

void Link::open() {
  if (dial_ || stream_ || retrying_) {
    return;
  }
  dial_ = std::make_shared<Dial>(commons_.io);
  dial_->begin(target_.address, commons_.limits.dial_patience,
               [this](base::Result<asio::ip::tcp::socket> result) {
                 const auto keep = shared_from_this();
                 dial_.reset();
                 if (result) {
                   greet(std::move(result).value());
                 } else {
                   ++commons_.counters.dials_failed;
                   down(result.error().message);
                 }
               });
}

void Link::greet(asio::ip::tcp::socket socket) {
  stream_ = std::make_shared<FrameStream>(std::move(socket), kMaxGreetingBytes, *this);
  stream_->expect_within(commons_.limits.greeting_patience, "no greeting in time");
  stream_->start();
  stream_->send(FrameKind::kHello, encode(commons_.hello(target_.lane)));
}

void Link::on_frame(const Frame& frame) {
  const auto keep = shared_from_this();
  if (frame.kind == FrameKind::kRefusal) {
    const auto refused = decode_refused(frame.payload);
    ++commons_.counters.refused_there;
    stream_->close();
    down(refused ? "refused: " + refused->reason : "refused");
    if (refused) {
      commons_.heed(*refused);
    }
    return;
  }
  const auto hello =
      frame.kind == FrameKind::kHello && !up_ ? decode_hello(frame.payload) : std::nullopt;
  if (!hello) {
    ++commons_.counters.broken;
    stream_->close();
    down("unexpected bytes");
    return;
  }
  if (const auto refused = judge(commons_.self, *hello, target_.peer)) {
    ++commons_.counters.refused_here;
    stream_->send(FrameKind::kRefusal, encode(*refused));
    stream_->finish();
    down(refused->reason);
    commons_.heed(*refused);
    return;
  }
  greeted();
}

void Link::greeted() {
  stream_->expect_within(base::Duration::zero(), "");
  up_ = true;
  up_since_ = std::chrono::steady_clock::now();
  last_reason_.clear();
  pending_bytes_ = 0;
  for (std::string& frame : std::exchange(pending_, {})) {
    stream_->send(FrameKind::kMessage, std::move(frame));
  }
  owner_.link_up(*this);
}

void Link::on_closed(const std::string& reason) {
  const auto keep = shared_from_this();
  down(reason);
}

bool Link::has_room(std::size_t bytes, std::size_t frames, std::size_t more) const {
  const std::size_t bound =
      target_.lane == Purpose::kUrgent ? commons_.limits.urgent_bytes : commons_.limits.bulk_bytes;
  return bytes + more <= bound && frames < commons_.limits.frames;
}

bool Link::send(std::string frame) {
  open();
  if (retrying_) {
    ++commons_.counters.dropped_down;
    return false;
  }
  const bool fits = up_ ? has_room(stream_->queued_bytes(), stream_->queued_frames(), frame.size())
                        : has_room(pending_bytes_, pending_.size(), frame.size());
  if (!fits || frame.size() > kMaxFrameBytes) {
    ++commons_.counters.dropped_full;
    return false;
  }
  ++commons_.counters.frames_out;
  commons_.counters.bytes_out += frame.size();
  if (up_) {
    stream_->send(FrameKind::kMessage, std::move(frame));
  } else {
    pending_bytes_ += frame.size();
    pending_.push_back(std::move(frame));
  }
  return true;
}

void Link::down(const std::string& reason) {
  const bool was_up = std::exchange(up_, false);
  if (was_up && std::chrono::steady_clock::now() - up_since_ >= commons_.limits.retry_max) {
    failures_ = 0;  // whoever greets and hangs up at once is not dialled ever faster
  }
  commons_.counters.dropped_down += pending_.size();
  pending_.clear();
  pending_bytes_ = 0;
  stream_.reset();
  retry_later();
  if (was_up || reason != last_reason_) {
    last_reason_ = reason;
    owner_.link_down(*this, reason);
  }
}

void Link::retry_later() {
  const std::uint32_t doublings = std::min(failures_++, 16U);
  const base::Duration step = std::min<base::Duration>(
      commons_.limits.retry_min * (std::int64_t{1} << doublings), commons_.limits.retry_max);
  retrying_ = true;
  retry_.expires_after(commons_.dice.between(step / 2, step + step / 2));
  retry_.async_wait([weak = weak_from_this()](const asio::error_code& error) {
    const auto self = weak.lock();
    if (error || !self || !self->retrying_) {
      return;
    }
    self->retrying_ = false;
    if (self->target_.lane == Purpose::kUrgent) {
      self->open();
    }
  });
}

void Link::hurry() {
  if (retrying_) {
    retrying_ = false;
    retry_.cancel();
    if (target_.lane == Purpose::kUrgent) {
      open();
    }
  }
}

void Link::redirect(const std::string& address) {
  if (address == target_.address) {
    return;
  }
  target_.address = address;
  // A connection that works is the right node's, whatever its address is called now.
  if (dial_) {
    dial_->cancel();
    dial_.reset();
    open();
  }
  hurry();
}

}  // namespace brigade::net
