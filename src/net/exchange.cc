#include "net/exchange.h"

#include <algorithm>
#include <utility>

namespace brigade::net {

Exchange::Exchange(MeshCommons& commons, std::string question, Done done)
    : commons_(commons), question_(std::move(question)), done_(std::move(done)) {}

Exchange::~Exchange() {
  if (dial_) {
    dial_->cancel();
  }
  if (stream_ && stream_->is_open()) {
    stream_->close();
  }
}

void Exchange::begin(const std::string& address, base::Duration patience) {
  address_ = address;
  patience_ = patience;
  dial_ = std::make_shared<Dial>(commons_.io);
  dial_->begin(address, std::min(patience, commons_.limits.dial_patience),
               [this](base::Result<asio::ip::tcp::socket> result) {
                 const auto keep = shared_from_this();
                 dial_.reset();
                 if (result) {
                   greet(std::move(result).value());
                 } else {
                   ++commons_.counters.dials_failed;
                   end(result.error());
                 }
               });
}

// The question follows the greeting at once: one round trip. Who refuses the greeting does not look
// at the question.
void Exchange::greet(asio::ip::tcp::socket socket) {
  stream_ = std::make_shared<FrameStream>(std::move(socket), kMaxGreetingBytes, *this);
  stream_->expect_within(patience_, "no answer in time");
  stream_->start();
  stream_->send(FrameKind::kHello, encode(commons_.hello(Purpose::kExchange)));
  stream_->send(FrameKind::kQuestion, std::move(question_));
}

void Exchange::on_frame(const Frame& frame) {
  const auto keep = shared_from_this();
  if (frame.kind == FrameKind::kRefusal) {
    const auto refused = decode_refused(frame.payload);
    ++commons_.counters.refused_there;
    fail(refused ? "refused: " + refused->reason : "refused");
    if (refused) {
      commons_.heed(*refused);
    }
  } else if (frame.kind == FrameKind::kHello && !peer_) {
    peer_ = decode_hello(frame.payload);
    if (!peer_) {
      fail_unmet("sent a greeting that is not understood");
    } else if (const auto refused = judge(commons_.self, *peer_, base::NodeId())) {
      ++commons_.counters.refused_here;
      stream_->send(FrameKind::kRefusal, encode(*refused));
      stream_->finish();
      fail(refused->reason);
      commons_.heed(*refused);
    } else {
      stream_->allow(kMaxFrameBytes);
    }
  } else if (frame.kind == FrameKind::kAnswer && peer_) {
    end(Exchanged{*peer_, std::string(frame.payload)});
  } else {
    ++commons_.counters.broken;
    fail_unmet("unexpected bytes");
  }
}

void Exchange::on_closed(const std::string& reason) {
  const auto keep = shared_from_this();
  fail_unmet(reason);
}

void Exchange::fail_unmet(const std::string& reason) {
  fail(peer_ ? reason : reason + "; is that the --peer address of a node?");
}

void Exchange::fail(const std::string& reason) {
  end(base::Error{address_ + ": " + reason});
}

void Exchange::end(base::Result<Exchanged> result) {
  if (stream_) {
    if (stream_->is_open()) {
      stream_->close();
    }
    stream_.reset();
  }
  if (const Done done = std::exchange(done_, nullptr)) {
    done(std::move(result));
  }
}

}  // namespace brigade::net
