#include "net/inlet.h"

#include <utility>

namespace brigade::net {

Inlet::Inlet(MeshCommons& commons, asio::ip::tcp::socket socket, Owner& owner)
    : commons_(commons),
      stream_(std::make_shared<FrameStream>(std::move(socket), kMaxGreetingBytes, *this)),
      owner_(owner) {}

Inlet::~Inlet() {
  if (stream_->is_open()) {  // one that is finishing ends by itself
    stream_->close();
  }
}

void Inlet::start() {
  stream_->expect_within(commons_.limits.greeting_patience, "no greeting in time");
  stream_->start();
}

void Inlet::greeting(const Frame& frame) {
  if (frame.kind != FrameKind::kHello) {
    ++commons_.counters.broken;
    close();
    return;
  }
  const auto hello = decode_hello(frame.payload);
  if (!hello) {
    refuse({Refusal::kMalformed, "sent a greeting that is not understood"});
    return;
  }
  auto refused = judge(commons_.self, *hello, base::NodeId());
  if (refused && refused->code == Refusal::kSameNode) {
    commons_.doubled(refused->reason, false);
  } else if (!refused) {
    refused = owner_.inlet_greeted(*this, *hello);
  }
  if (refused) {
    refuse(*refused);
    return;
  }
  peer_ = hello;
  const bool exchange = hello->purpose == Purpose::kExchange;
  stream_->allow(exchange   ? commons_.limits.question_bytes
                 : trusted_ ? kMaxFrameBytes
                            : commons_.limits.stranger_bytes);
  stream_->expect_within(exchange ? commons_.limits.greeting_patience : base::Duration::zero(),
                         "no question in time");
  stream_->send(FrameKind::kHello, encode(commons_.hello(hello->purpose)));
}

void Inlet::on_frame(const Frame& frame) {
  const auto keep = shared_from_this();
  if (!peer_) {
    greeting(frame);
    return;
  }
  if (frame.kind == FrameKind::kRefusal) {  // they do not go on with this node: they say why
    ++commons_.counters.refused_there;
    close();
  } else if (frame.kind == FrameKind::kMessage && peer_->purpose != Purpose::kExchange) {
    ++commons_.counters.frames_in;
    commons_.counters.bytes_in += frame.payload.size();
    spoke_ = std::chrono::steady_clock::now();
    owner_.inlet_message(*this, frame.payload);
  } else if (frame.kind == FrameKind::kQuestion && peer_->purpose == Purpose::kExchange &&
             !asked_) {
    asked_ = true;
    stream_->expect_within(commons_.limits.answer_patience, "no answer in time");
    owner_.inlet_question(*this, frame.payload);
  } else {
    ++commons_.counters.broken;
    close();
  }
}

bool Inlet::spoke_within(base::Duration time) const {
  return spoke_ && std::chrono::steady_clock::now() - *spoke_ < time;
}

void Inlet::trust() {
  trusted_ = true;
  if (peer_) {
    stream_->allow(kMaxFrameBytes);
  }
}

void Inlet::on_closed(const std::string&) {
  const auto keep = shared_from_this();
  owner_.inlet_closed(*this);
}

void Inlet::answer(std::string text) {
  if (!stream_->is_open()) {
    return;
  }
  if (text.size() > kMaxFrameBytes) {
    close();
    return;
  }
  stream_->send(FrameKind::kAnswer, std::move(text));
  stream_->finish();
  owner_.inlet_closed(*this);
}

void Inlet::refuse(const Refused& refused) {
  ++commons_.counters.refused_here;
  stream_->send(FrameKind::kRefusal, encode(refused));
  stream_->finish();
  owner_.inlet_closed(*this);
}

void Inlet::close() {
  if (stream_->is_open()) {
    stream_->close();
    owner_.inlet_closed(*this);
  }
}

}  // namespace brigade::net
