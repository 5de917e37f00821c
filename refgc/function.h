// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// refgc::function<R(A...)>: a callable whose captures are traced. std::function hides what it
// holds, so a cycle through one leaks; here the captured references are named:
//
//   refgc::function<void()> f = refgc::bind([](Button& b) { b.press(); }, button);
//
// The bound values come first in the call. A captureless lambda needs no bind.
//
// Threads: those of what it holds.

#ifndef REFGC_FUNCTION_H_
#define REFGC_FUNCTION_H_

#include <functional>
#include <memory>
#include <tuple>
#include <utility>

#include "refgc/ref.h"

namespace refgc {

template <class F, class... Bound>
struct bound_call {
  F f;
  std::tuple<Bound...> bound;
  template <class V>
  void trace(V& v) {
    v("bound", bound);
  }
};

// f(bound..., args...).
template <class F, class... Bound>
bound_call<std::decay_t<F>, std::decay_t<Bound>...> bind(F&& f, Bound&&... bound) {
  return {std::forward<F>(f), {std::forward<Bound>(bound)...}};
}

template <class>
class function;

template <class R, class... Args>
class function<R(Args...)> {
 public:
  function() = default;
  function(std::nullptr_t) {}  // NOLINT(google-explicit-constructor)
  template <class F, class... Bound>
  function(bound_call<F, Bound...> call)  // NOLINT(google-explicit-constructor)
      : held_(std::make_unique<model<F, Bound...>>(std::move(call))) {}
  // Nothing captured, nothing to trace.
  template <class F, class = std::enable_if_t<std::is_convertible_v<F, R (*)(Args...)>>>
  function(F f)  // NOLINT(google-explicit-constructor)
      : function(bind(static_cast<R (*)(Args...)>(f))) {}
  function(const function& other) : held_(other.held_ ? other.held_->copy() : nullptr) {}
  function(function&&) noexcept = default;
  function& operator=(function other) noexcept {
    held_.swap(other.held_);
    return *this;
  }

  // Throws std::bad_function_call when empty.
  R operator()(Args... args) const {
    if (held_ == nullptr) {
      throw std::bad_function_call();
    }
    return held_->call(std::forward<Args>(args)...);
  }
  explicit operator bool() const noexcept { return held_ != nullptr; }

  template <class V>
  void trace(V& v) {
    if (held_ != nullptr) {
      detail::forwarding_visitor<V> forward(v);
      held_->trace(forward);
    }
  }

 private:
  struct concept_of_it {
    virtual ~concept_of_it() = default;
    virtual R call(Args... args) = 0;
    virtual void trace(detail::visitor& v) = 0;
    virtual std::unique_ptr<concept_of_it> copy() const = 0;
  };
  template <class F, class... Bound>
  struct model final : concept_of_it {
    explicit model(bound_call<F, Bound...> c) : held(std::move(c)) {}
    R call(Args... args) override {
      return std::apply(
          [&](auto&... bound) -> R { return held.f(bound..., std::forward<Args>(args)...); },
          held.bound);
    }
    void trace(detail::visitor& v) override { held.trace(v); }
    std::unique_ptr<concept_of_it> copy() const override { return std::make_unique<model>(held); }
    bound_call<F, Bound...> held;
  };

  std::unique_ptr<concept_of_it> held_;
};

}  // namespace refgc

#endif  // REFGC_FUNCTION_H_
