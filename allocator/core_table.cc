// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "allocator/core_table.h"

#include "allocator/allocator.h"
#include "allocator/slow_paths.h"

namespace tally {

namespace {

ThreadCache* OpenCache(void* user) { return registry.AcquirePrivate(user); }

void CloseCache(ThreadCache* cache) { registry.ReleasePrivate(cache); }

void* PopSlow(ThreadCache* cache, SizeClass size_class, size_t bytes) {
  void* block = cache->PopSlow(size_class, bytes);
  if (block == nullptr && MakeRoom()) {
    block = cache->PopSlow(size_class, bytes);
  }
  return block;
}

void PushSlow(ThreadCache* cache, SizeClass size_class, void* block) {
  if (*cache->magazines[size_class].top == block) {
    FatalBlock("free", block, kDoubleFree);
  }
  cache->PushSlow(size_class, block);
}

void Flush(ThreadCache* cache) {
  cache->FlushAll();
  cache->heap()->Trim();
}

void* AllocateLarge(size_t bytes) {
  bool is_zero = false;
  return AllocateRun(bytes, kPoolBytes, &is_zero);
}

void SetObjectsHook(ObjectsHook hook) { objects_hook = hook; }

constinit const CoreTable kOwnTable = {
    kCoreTableVersion, sizeof(CoreTable), OpenCache, CloseCache,    PopSlow, PushSlow, Flush,
    AllocateLarge,     FreeSlow,          &regions,  SetObjectsHook};

}  // namespace

const CoreTable& OwnCoreTable() { return kOwnTable; }

}  // namespace tally
