// The native half of @chat/shm: mmap-io's source, unchanged, and what Node has no words for.
//
// 1. mmap-io maps. It unmaps only when the garbage collector finds the Buffer, so two functions are added. unmap() puts private
//    empty pages in the place of the shared ones: the segment is let go at once, and a forgotten view reads zeros. giveBack() also
//    returns the addresses, by detaching the ArrayBuffer; the first detach makes V8 check every access to a typed array from then on,
//    so it is for a process that would otherwise run out of addresses.
// 2. A lock of the kernel on one byte of a file ("open file description lock"), held by a descriptor of our own: the kernel
//    releases it when the process ends in whatever way or becomes another program, the cleanup hook when a worker thread ends.
// 3. A futex on a word of shared memory, for threads that may block.
//
// All of it is Node-API, and no library of C or C++ is named as needed (see compile.mjs): one file per CPU serves every Node
// from 20 on, with glibc and with musl.
#include <nan.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/futex.h>
#include <sys/syscall.h>
#endif

// Ranges that giveBack() has returned already: mmap-io returns them once more when the collector finds their Buffer.
struct Range {
    void* data;
    size_t size;
    Range* next;
};
static Range* given_back = nullptr;
static int given_back_lock = 0;

static void lock_given_back() {
    while (__atomic_exchange_n(&given_back_lock, 1, __ATOMIC_ACQUIRE) != 0) {
    }
}
static void unlock_given_back() { __atomic_store_n(&given_back_lock, 0, __ATOMIC_RELEASE); }

#include <sys/mman.h>

static int munmap_unless_given_back(void* data, size_t size) {
    lock_given_back();
    for (Range** at = &given_back; *at != nullptr; at = &(*at)->next) {
        Range* range = *at;
        if (range->data != data || range->size != size) continue;
        *at = range->next;
        unlock_given_back();
        delete range;
        return 0;
    }
    unlock_given_back();
    return munmap(data, size);
}

#define munmap munmap_unless_given_back
#include "mmap-io.cc"
#undef munmap

#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif

namespace {

// Throws an Error with the errno's name as `code`, as Node's own file operations do.
napi_value fail(napi_env env, const char* call, int error) {
    const char* code = error == EACCES   ? "EACCES"
                       : error == EBADF  ? "EBADF"
                       : error == EINVAL ? "EINVAL"
                       : error == ENOLCK ? "ENOLCK"
                       : error == ENOSYS ? "ENOSYS"
                       : error == ENOMEM ? "ENOMEM"
                       : error == EMFILE ? "EMFILE"
                       : error == EOPNOTSUPP ? "EOPNOTSUPP"
                                         : "EIO";
    napi_throw_error(env, code, (std::string(call) + " failed, " + std::to_string(error)).c_str());
    return nullptr;
}

napi_value misuse(napi_env env, const char* message) {
    napi_throw_type_error(env, nullptr, message);
    return nullptr;
}

napi_value number(napi_env env, double value) {
    napi_value result = nullptr;
    napi_create_double(env, value, &result);
    return result;
}

napi_value boolean(napi_env env, bool value) {
    napi_value result = nullptr;
    napi_get_boolean(env, value, &result);
    return result;
}

// Up to five arguments of a call.
struct Call {
    napi_value arguments[5] = {};
    size_t count = 5;
    void* data = nullptr;
    napi_env env;

    Call(napi_env env, napi_callback_info info) : env(env) {
        napi_get_cb_info(env, info, &count, arguments, nullptr, &data);
    }
    bool integer(size_t index, int64_t* value) const {
        return index < count && napi_get_value_int64(env, arguments[index], value) == napi_ok;
    }
    // A mapping starts on a page; memory of the heap does so only by chance, and must not be replaced.
    bool mapping(void** data, size_t* size, napi_value* array_buffer) const {
        napi_typedarray_type type;
        size_t offset = 0;
        bool is_typed = false;
        if (count < 1 || napi_is_typedarray(env, arguments[0], &is_typed) != napi_ok || !is_typed) return false;
        if (napi_get_typedarray_info(env, arguments[0], &type, size, data, array_buffer, &offset) != napi_ok) return false;
        return type == napi_uint8_array && *size > 0 && offset == 0 &&
               reinterpret_cast<uintptr_t>(*data) % static_cast<size_t>(sysconf(_SC_PAGESIZE)) == 0;
    }
};

const char* NOT_A_MAPPING = "this takes the Buffer that map() returned";

// unmap(buffer): see above. For a Buffer that map() returned and nothing else.
napi_value unmap(napi_env env, napi_callback_info info) {
    Call call(env, info);
    void* data;
    size_t size;
    napi_value array_buffer;
    if (!call.mapping(&data, &size, &array_buffer)) return misuse(env, NOT_A_MAPPING);
    int flags = MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    if (mmap(data, size, PROT_READ | PROT_WRITE, flags, -1, 0) == MAP_FAILED) return fail(env, "mmap", errno);
    return nullptr;
}

// giveBack(buffer): detaches it and returns its addresses. Views of it have no elements from then on.
napi_value give_back(napi_env env, napi_callback_info info) {
    Call call(env, info);
    void* data;
    size_t size;
    napi_value array_buffer;
    if (!call.mapping(&data, &size, &array_buffer)) return misuse(env, NOT_A_MAPPING);
    // Noted first: the detach may run mmap-io's own cleanup at once.
    Range* range = new Range{data, size, nullptr};
    lock_given_back();
    range->next = given_back;
    given_back = range;
    unlock_given_back();
    if (napi_detach_arraybuffer(env, array_buffer) != napi_ok) {
        lock_given_back();
        for (Range** at = &given_back; *at != nullptr; at = &(*at)->next) {
            if (*at != range) continue;
            *at = range->next;
            delete range;
            break;
        }
        unlock_given_back();
        return misuse(env, NOT_A_MAPPING);
    }
    munmap(data, size);
    return nullptr;
}

// The descriptors of one environment, that is, of one thread.
struct Descriptors {
    int* list = nullptr;
    size_t count = 0;
    size_t room = 0;

    void add(int fd) {
        if (count == room) {
            room = room == 0 ? 16 : room * 2;
            list = static_cast<int*>(realloc(list, room * sizeof(int)));
        }
        list[count++] = fd;
    }
    bool remove(int64_t fd) {
        for (size_t i = 0; i < count; i++) {
            if (list[i] != fd) continue;
            list[i] = list[--count];
            return true;
        }
        return false;
    }
};

#ifdef F_OFD_SETLK
int byte_lock(int fd, int command, short type, int64_t start, int64_t length, struct flock* seen) {
    struct flock lock;
    memset(&lock, 0, sizeof lock);
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    lock.l_start = start;
    lock.l_len = length;
    int result;
    do result = fcntl(fd, command, &lock);
    while (result == -1 && errno == EINTR);
    if (seen != nullptr) *seen = lock;
    return result;
}
#endif

// Everything is unlocked before the close: a mapping made through the same descriptor would keep the locks.
void let_go(int fd) {
#ifdef F_OFD_SETLK
    byte_lock(fd, F_OFD_SETLK, F_UNLCK, 0, 0, nullptr);
#endif
    close(fd);
}

void close_all(void* data) {
    Descriptors* descriptors = static_cast<Descriptors*>(data);
    for (size_t i = 0; i < descriptors->count; i++) let_go(descriptors->list[i]);
    free(descriptors->list);
    delete descriptors;
}

// hold(fd): a descriptor for the same open file that Node does not know of and no other program inherits.
napi_value hold(napi_env env, napi_callback_info info) {
    Call call(env, info);
    int64_t fd;
    if (!call.integer(0, &fd)) return misuse(env, "hold() takes a descriptor");
    int held = fcntl(static_cast<int>(fd), F_DUPFD_CLOEXEC, 3);
    if (held == -1) return fail(env, "fcntl", errno);
    static_cast<Descriptors*>(call.data)->add(held);
    return number(env, held);
}

// letGo(held): unlocks and closes what hold() returned.
napi_value let_go_of(napi_env env, napi_callback_info info) {
    Call call(env, info);
    int64_t fd;
    if (!call.integer(0, &fd) || !static_cast<Descriptors*>(call.data)->remove(fd)) {
        return misuse(env, "letGo() takes what hold() returned, once");
    }
    let_go(static_cast<int>(fd));
    return nullptr;
}

// lock(held, byte): true if this open file has the byte now, false if another one has it.
napi_value lock(napi_env env, napi_callback_info info) {
    Call call(env, info);
    int64_t fd, at;
    if (!call.integer(0, &fd) || !call.integer(1, &at)) return misuse(env, "lock() takes a descriptor and a position");
#ifdef F_OFD_SETLK
    if (byte_lock(static_cast<int>(fd), F_OFD_SETLK, F_WRLCK, at, 1, nullptr) == 0) return boolean(env, true);
    if (errno == EAGAIN || errno == EACCES) return boolean(env, false);
    return fail(env, "fcntl", errno);
#else
    return fail(env, "fcntl", ENOSYS);
#endif
}

napi_value unlock(napi_env env, napi_callback_info info) {
    Call call(env, info);
    int64_t fd, at;
    if (!call.integer(0, &fd) || !call.integer(1, &at)) return misuse(env, "unlock() takes a descriptor and a position");
#ifdef F_OFD_SETLK
    if (byte_lock(static_cast<int>(fd), F_OFD_SETLK, F_UNLCK, at, 1, nullptr) == -1) return fail(env, "fcntl", errno);
    return nullptr;
#else
    return fail(env, "fcntl", ENOSYS);
#endif
}

// isLocked(fd, byte): whether another open file has the byte. Needs no right to write.
napi_value is_locked(napi_env env, napi_callback_info info) {
    Call call(env, info);
    int64_t fd, at;
    if (!call.integer(0, &fd) || !call.integer(1, &at)) return misuse(env, "isLocked() takes a descriptor and a position");
#ifdef F_OFD_SETLK
    struct flock seen;
    if (byte_lock(static_cast<int>(fd), F_OFD_GETLK, F_WRLCK, at, 1, &seen) == -1) return fail(env, "fcntl", errno);
    return boolean(env, seen.l_type != F_UNLCK);
#else
    return fail(env, "fcntl", ENOSYS);
#endif
}

bool word_of(Call const& call, int32_t** word) {
    napi_typedarray_type type;
    size_t length = 0, offset = 0;
    void* data = nullptr;
    napi_value array_buffer;
    int64_t index;
    bool is_typed = false;
    if (call.count < 2 || napi_is_typedarray(call.env, call.arguments[0], &is_typed) != napi_ok || !is_typed) return false;
    if (napi_get_typedarray_info(call.env, call.arguments[0], &type, &length, &data, &array_buffer, &offset) != napi_ok) return false;
    if (type != napi_int32_array || !call.integer(1, &index) || index < 0 || static_cast<size_t>(index) >= length) return false;
    *word = static_cast<int32_t*>(data) + index;
    return true;
}

// futexWait(words, index, value, timeoutMs): blocks the thread while the word holds value.
// 0: woken, or by chance; 1: it held something else; 2: the time is up.
napi_value futex_wait(napi_env env, napi_callback_info info) {
    Call call(env, info);
    int32_t* word;
    int64_t value;
    double timeout_ms;
    if (!word_of(call, &word) || !call.integer(2, &value) || call.count < 4 ||
        napi_get_value_double(env, call.arguments[3], &timeout_ms) != napi_ok) {
        return misuse(env, "futexWait() takes words, an index, a value and milliseconds");
    }
#ifdef __linux__
    struct timespec timeout;
    bool is_bounded = timeout_ms >= 0 && timeout_ms < 1e15;
    if (is_bounded) {
        timeout.tv_sec = static_cast<time_t>(timeout_ms / 1000);
        timeout.tv_nsec = static_cast<long>((timeout_ms - 1000.0 * static_cast<double>(timeout.tv_sec)) * 1e6);
    }
    // Not FUTEX_PRIVATE: the word lies in a file that other processes have mapped.
    long result = syscall(SYS_futex, word, FUTEX_WAIT, static_cast<int>(value), is_bounded ? &timeout : nullptr, nullptr, 0);
    if (result == 0 || errno == EINTR) return number(env, 0);
    if (errno == EAGAIN) return number(env, 1);
    if (errno == ETIMEDOUT) return number(env, 2);
    return fail(env, "futex", errno);
#else
    (void)word;
    return fail(env, "futex", ENOSYS);
#endif
}

// futexWake(words, index, count): wakes up to count threads that wait at the word, in all processes; returns how many.
napi_value futex_wake(napi_env env, napi_callback_info info) {
    Call call(env, info);
    int32_t* word;
    int64_t count;
    if (!word_of(call, &word) || !call.integer(2, &count)) {
        return misuse(env, "futexWake() takes words, an index and a count");
    }
#ifdef __linux__
    long woken = syscall(SYS_futex, word, FUTEX_WAKE, static_cast<int>(count), nullptr, nullptr, 0);
    if (woken == -1) return fail(env, "futex", errno);
    return number(env, static_cast<double>(woken));
#else
    (void)word;
    return fail(env, "futex", ENOSYS);
#endif
}

void add_function(napi_env env, napi_value exports, const char* name, napi_callback callback, void* data) {
    napi_value function = nullptr;
    napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, data, &function);
    napi_set_named_property(env, exports, name, function);
}

}  // namespace

extern "C" __attribute__((visibility("default"))) napi_value napi_register_module_v1(napi_env env, napi_value exports) {
    current_env = env;
    v8::Local<v8::Object> target;
    target.value.handle = exports;
    Init(target);
    Descriptors* descriptors = new Descriptors();
    napi_add_env_cleanup_hook(env, close_all, descriptors);
    add_function(env, exports, "unmap", unmap, nullptr);
    add_function(env, exports, "giveBack", give_back, nullptr);
    add_function(env, exports, "hold", hold, descriptors);
    add_function(env, exports, "letGo", let_go_of, descriptors);
    add_function(env, exports, "lock", lock, nullptr);
    add_function(env, exports, "unlock", unlock, nullptr);
    add_function(env, exports, "isLocked", is_locked, nullptr);
    add_function(env, exports, "futexWait", futex_wait, nullptr);
    add_function(env, exports, "futexWake", futex_wake, nullptr);
    return exports;
}
extern "C" __attribute__((visibility("default"))) int32_t node_api_module_get_api_version_v1() { return 8; }
