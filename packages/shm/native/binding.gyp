# Compiles addon.cc, which includes mmap-io's own source. gyp wants relative paths, so compile.mjs lays this file,
# addon.cc, mmap-io.cc and nan's headers side by side in a temporary folder first.
{
  'targets': [
    {
      'target_name': 'mmap_io',
      'sources': ['addon.cc'],
      'include_dirs': ['nan'],
      # The headers of Node 24 and later need C++20; mmap-io's own binding.gyp pins C++11, which Node 20 already refuses.
      'cflags_cc': ['-std=gnu++20'],
      'cflags_cc!': ['-std=gnu++17', '-std=gnu++1y'],
      # libstdc++ stays dynamic (the default): the file is small and needs no newer libc than Node itself.
      'ldflags': ['-s'],
      'xcode_settings': {
        'CLANG_CXX_LANGUAGE_STANDARD': 'gnu++20',
        'CLANG_CXX_LIBRARY': 'libc++',
        'MACOSX_DEPLOYMENT_TARGET': '11.0',
      },
    },
  ],
}
