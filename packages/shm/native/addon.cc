// The native half of @chat/shm: mmap-io's source, unchanged, plus the two things it lacks.
//
// 1. mmap-io registers itself with NODE_MODULE, which a worker thread may not load. It keeps no state of its own, so
//    it is registered here as a module of a context instead, and works in every thread.
// 2. mmap-io unmaps only when the garbage collector finds the Buffer. unmap() below puts private empty pages in the
//    place of the shared ones: the segment is let go at once, a forgotten view reads zeros instead of crashing the
//    process, and the range of addresses itself is given back by the collector as before. Detaching the ArrayBuffer
//    would do it too, but the first detach in a process makes V8 check every typed array access in it from then on.
#include <nan.h>

#undef NODE_MODULE
#define NODE_MODULE(name, registration)
#include "mmap-io.cc"

// unmap(buffer), for a Buffer that map() returned and nothing else.
NAN_METHOD(unmap) {
    if (info.Length() < 1 || !node::Buffer::HasInstance(info[0])) {
        return Nan::ThrowTypeError("unmap() takes the Buffer that map() returned");
    }
    char* data = node::Buffer::Data(info[0]);
    size_t size = node::Buffer::Length(info[0]);
    size_t page_size = sysconf(_SC_PAGESIZE);
    // A mapping starts on a page; memory of the heap does so only by chance, and must not be replaced.
    if (size == 0 || reinterpret_cast<uintptr_t>(data) % page_size != 0) {
        return Nan::ThrowTypeError("unmap() takes the Buffer that map() returned");
    }
    void* replaced = mmap(data, size, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (replaced == MAP_FAILED) {
        return Nan::ThrowError((std::string("unmap failed, ") + std::to_string(errno)).c_str());
    }
}

NAN_MODULE_INIT(InitShm) {
    Init(target);
    Nan::SetMethod(target, "unmap", unmap);
}

NAN_MODULE_WORKER_ENABLED(mmap_io, InitShm)
