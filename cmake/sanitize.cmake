# SKUA_SANITIZE instruments every target of the build: a half-instrumented program proves nothing.
if(SKUA_SANITIZE)
  add_compile_options(-fsanitize=${SKUA_SANITIZE} -fno-omit-frame-pointer -g)
  add_link_options(-fsanitize=${SKUA_SANITIZE})
  if(SKUA_SANITIZE MATCHES "undefined")
    # Not vptr: it opens a pipe to ask whether an object can be read, and takes a lack of descriptors, which tests
    # bring about, for a bad object.
    add_compile_options(-fno-sanitize-recover=all -fno-sanitize=vptr)
  endif()
endif()
