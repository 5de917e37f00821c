// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// fork: every lock of the allocator is taken before it, and released after it on both sides.
//
// Handlers run last in, first out before a fork, and ours must be the first in: other libraries'
// handlers may still allocate, and take locks that our callers hold. But most programs never fork
// while that matters, and to register touches 130 KB of library pages. So ours are registered when
// somebody else registers some (pthread_atfork calls __register_atfork), when a second thread
// allocates, or when the program forks. Where those names do not reach us (the archive; a library
// loaded late), at start.
//
// Threads: any.

#include <pthread.h>
#include <unistd.h>

#include <atomic>

#include "allocator/allocator.h"
#include "allocator/mutex.h"
#include "allocator/publish.h"
#include "shim/shim.h"

// stdio's list lock: fork takes it, and other threads hold it while they allocate. So it comes
// before ours, or the two deadlock (glibc's tst-malloc-fork-deadlock). Absent in other C libraries.
extern "C" {
[[gnu::weak]] void _IO_list_lock();
[[gnu::weak]] void _IO_list_unlock();
[[gnu::weak]] void _IO_list_resetlock();
}

namespace tally::shim {
namespace {

using Handler = void (*)();

constinit Mutex registration_mutex;
constinit std::atomic<bool> is_registered{false};

void BeforeFork() {
  if (_IO_list_lock != nullptr) {
    _IO_list_lock();
  }
  ForkPrepare();
}

void AfterForkInParent() {
  ForkParent();
  if (_IO_list_unlock != nullptr) {
    _IO_list_unlock();
  }
}

void AfterForkInChild() {
  ForkChild();
  if (_IO_list_resetlock != nullptr) {
    _IO_list_resetlock();
  }
  PublishInChild();
  RestartReporter();
}

}  // namespace

#ifdef TALLY_STATIC

void RegisterForkHandlers() {
  if (!is_registered.exchange(true)) {
    pthread_atfork(BeforeFork, AfterForkInParent, AfterForkInChild);
  }
}

bool SeesForks() { return false; }

#else

namespace {

int RegisterNext(Handler prepare, Handler parent, Handler child, void* library) {
  using RegisterAtFork = int(Handler, Handler, Handler, void*);
  static constinit RegisterAtFork* next = nullptr;
  return Next(&next, "__register_atfork")(prepare, parent, child, library);
}

}  // namespace

// To register may allocate, and a signal handler may fork meanwhile: both come here again.
void RegisterForkHandlers() {
  if (is_registered.load(std::memory_order_acquire) || registration_mutex.IsHeldByMe()) {
    return;
  }
  const MutexLock lock(registration_mutex);
  if (!is_registered.load(std::memory_order_relaxed)) {
    RegisterNext(BeforeFork, AfterForkInParent, AfterForkInChild, nullptr);
    is_registered.store(true, std::memory_order_release);
  }
}

extern "C" TALLY_EXPORT int __register_atfork(Handler prepare, Handler parent, Handler child,
                                              void* library) noexcept {
  RegisterForkHandlers();
  return RegisterNext(prepare, parent, child, library);
}

extern "C" TALLY_EXPORT pid_t fork() noexcept {
  RegisterForkHandlers();
  using Fork = pid_t();
  static constinit Fork* next = nullptr;
  return Next(&next, "fork")();
}

extern "C" {
[[gnu::alias("fork"), gnu::visibility("hidden")]] pid_t tally_own_fork() noexcept;
}

bool SeesForks() {
  // Through memory: the compiler takes the two for one.
  pid_t (*volatile seen)() = fork;
  pid_t (*volatile own)() = tally_own_fork;
  return seen == own;
}

#endif

}  // namespace tally::shim
