// What mmap-io's source asks of nan, V8 and Node, said in Node-API.
//
// nan binds an addon to one ABI, hence to one major of Node. Node-API does not: one file serves every Node from 20 on. The source
// of mmap-io is compiled unchanged; this header stands where it includes <nan.h>, and has the few names that it uses, nothing else.
#ifndef CHAT_SHM_NAN_H
#define CHAT_SHM_NAN_H

#include <node_api.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

// No library of C++ is linked: see compile.mjs.
inline void* operator new(size_t size) { return malloc(size); }
inline void operator delete(void* memory) noexcept { free(memory); }
inline void operator delete(void* memory, size_t) noexcept { free(memory); }

// The environment of the call that is being served, one per thread.
static thread_local napi_env current_env = nullptr;

namespace v8 {
enum PropertyAttribute { None = 0, ReadOnly = 1, DontEnum = 2, DontDelete = 4 };

struct Value {
    napi_value handle = nullptr;
    bool is(napi_valuetype wanted) const {
        napi_valuetype type = napi_undefined;
        return handle != nullptr && napi_typeof(current_env, handle, &type) == napi_ok && type == wanted;
    }
    bool IsNumber() const { return is(napi_number); }
    bool IsObject() const { return is(napi_object); }
};
struct Object : Value {};
struct Array : Object {};
struct String : Value {};
struct Number : Value {};
struct FunctionTemplate;
struct Isolate {
    static Isolate* GetCurrent() { return nullptr; }
};

template <class T>
struct Local {
    T value;
    T* operator->() { return &value; }
    const T* operator->() const { return &value; }
};
}  // namespace v8

namespace Nan {
struct HandleScope {};

template <class T>
struct MaybeLocal {
    v8::Local<T> local;
    bool IsEmpty() const { return local.value.handle == nullptr; }
    v8::Local<T> ToLocalChecked() const { return local; }
};

struct ReturnValue {
    napi_value* result;
    template <class T>
    void Set(v8::Local<T> local) const { *result = local.value.handle; }
};

// The arguments of a call; one that was not given is undefined.
struct Arguments {
    static constexpr size_t MOST = 8;
    size_t count = MOST;
    napi_value values[MOST] = {};
    napi_value result = nullptr;

    int Length() const { return static_cast<int>(count); }
    v8::Local<v8::Value> operator[](int index) const {
        v8::Local<v8::Value> local;
        local.value.handle = values[index];
        return local;
    }
    ReturnValue GetReturnValue() const { return ReturnValue{const_cast<napi_value*>(&result)}; }
};
typedef void (*Method)(const Arguments& info);

inline void ThrowError(const char* message) { napi_throw_error(current_env, nullptr, message); }

template <class T>
struct Maybe {
    bool has;
    T value;
    T FromJust() const { return value; }
    T FromMaybe(T otherwise) const { return has ? value : otherwise; }
};
template <class T>
struct Converted;
template <>
struct Converted<int> {
    static Maybe<int> from(napi_value handle) {
        int32_t value = 0;
        bool has = handle != nullptr && napi_get_value_int32(current_env, handle, &value) == napi_ok;
        return {has, value};
    }
};
template <>
struct Converted<bool> {
    static Maybe<bool> from(napi_value handle) {
        bool value = false;
        bool has = handle != nullptr && napi_get_value_bool(current_env, handle, &value) == napi_ok;
        return {has, value};
    }
};
template <>
struct Converted<v8::Object> {
    static MaybeLocal<v8::Object> from(napi_value handle) {
        MaybeLocal<v8::Object> maybe;
        maybe.local.value.handle = handle;
        return maybe;
    }
};
template <class T, class V>
inline auto To(V local) -> decltype(Converted<T>::from(nullptr)) {
    return Converted<T>::from(local.value.handle);
}

inline v8::Local<v8::Number> New(int number) {
    v8::Local<v8::Number> local;
    napi_create_int32(current_env, number, &local.value.handle);
    return local;
}
inline v8::Local<v8::Number> New(uint32_t number) {
    v8::Local<v8::Number> local;
    napi_create_uint32(current_env, number, &local.value.handle);
    return local;
}
inline MaybeLocal<v8::String> New(const char* text) {
    MaybeLocal<v8::String> maybe;
    napi_create_string_utf8(current_env, text, NAPI_AUTO_LENGTH, &maybe.local.value.handle);
    return maybe;
}
}  // namespace Nan

namespace v8 {
struct FunctionTemplate : Value {
    Nan::Method method = nullptr;
};
}  // namespace v8

namespace Nan {
template <class T>
struct Made;
template <>
struct Made<v8::Array> {
    static v8::Local<v8::Array> from(int length) {
        v8::Local<v8::Array> local;
        napi_create_array_with_length(current_env, length, &local.value.handle);
        return local;
    }
};
template <>
struct Made<v8::String> {
    static MaybeLocal<v8::String> from(const char* text) { return New(text); }
};
template <>
struct Made<v8::FunctionTemplate> {
    static v8::Local<v8::FunctionTemplate> from(Method method) {
        v8::Local<v8::FunctionTemplate> local;
        local.value.method = method;
        return local;
    }
};
template <class T, class A>
inline auto New(A argument) -> decltype(Made<T>::from(argument)) {
    return Made<T>::from(argument);
}

template <class T>
inline void Set(v8::Local<v8::Array> array, uint32_t index, v8::Local<T> element) {
    napi_set_element(current_env, array.value.handle, index, element.value.handle);
}

inline napi_value CallMethod(napi_env env, napi_callback_info info) {
    Arguments arguments;
    void* method = nullptr;
    current_env = env;
    if (napi_get_cb_info(env, info, &arguments.count, arguments.values, nullptr, &method) != napi_ok) return nullptr;
    if (arguments.count > Arguments::MOST) arguments.count = Arguments::MOST;
    reinterpret_cast<Method>(method)(arguments);
    return arguments.result;
}

inline MaybeLocal<v8::Value> GetFunction(v8::Local<v8::FunctionTemplate> made) {
    MaybeLocal<v8::Value> maybe;
    napi_create_function(current_env, nullptr, 0, CallMethod, reinterpret_cast<void*>(made.value.method),
                         &maybe.local.value.handle);
    return maybe;
}

template <class K, class T>
inline void DefineOwnProperty(v8::Local<v8::Object> object, v8::Local<K> key, v8::Local<T> value, v8::PropertyAttribute how) {
    int attributes = napi_default;
    if (!(how & v8::ReadOnly)) attributes |= napi_writable;
    if (!(how & v8::DontEnum)) attributes |= napi_enumerable;
    if (!(how & v8::DontDelete)) attributes |= napi_configurable;
    napi_property_descriptor property = {nullptr, key.value.handle, nullptr, nullptr, nullptr, value.value.handle,
                                         static_cast<napi_property_attributes>(attributes), nullptr};
    napi_define_properties(current_env, object.value.handle, 1, &property);
}
}  // namespace Nan

namespace node {
namespace Buffer {
typedef void (*FreeCallback)(char* data, void* hint);

inline void View(napi_value buffer, char** data, size_t* length) {
    void* start = nullptr;
    *length = 0;
    if (napi_get_buffer_info(current_env, buffer, &start, length) != napi_ok) *length = 0;
    *data = static_cast<char*>(start);
}
inline char* Data(v8::Local<v8::Object> buffer) {
    char* data;
    size_t length;
    View(buffer.value.handle, &data, &length);
    return data;
}
inline size_t Length(v8::Local<v8::Object> buffer) {
    char* data;
    size_t length;
    View(buffer.value.handle, &data, &length);
    return length;
}

struct Freeing {
    FreeCallback callback;
    void* hint;
};
inline void Free(napi_env, void* data, void* hint) {
    Freeing* freeing = static_cast<Freeing*>(hint);
    freeing->callback(static_cast<char*>(data), freeing->hint);
    delete freeing;
}
inline Nan::MaybeLocal<v8::Object> New(v8::Isolate*, char* data, size_t length, FreeCallback callback, void* hint) {
    Nan::MaybeLocal<v8::Object> maybe;
    Freeing* freeing = new Freeing{callback, hint};
    if (napi_create_external_buffer(current_env, length, data, Free, freeing, &maybe.local.value.handle) != napi_ok) {
        delete freeing;
        callback(data, hint);
        maybe.local.value.handle = nullptr;
    }
    return maybe;
}
}  // namespace Buffer
}  // namespace node

#define NAN_METHOD(name) void name(const Nan::Arguments& info)
#define NAN_MODULE_INIT(name) void name(v8::Local<v8::Object> target)
// mmap-io registers itself; addon.cc does it instead, together with its own functions.
#define NODE_MODULE(name, registration)

#endif
