# SKUA_SANITIZE instruments every target of the build: a half-instrumented program proves nothing.
if(SKUA_SANITIZE)
  add_compile_options(-fsanitize=${SKUA_SANITIZE} -fno-omit-frame-pointer -g)
  add_link_options(-fsanitize=${SKUA_SANITIZE})
  if(SKUA_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=all)
  endif()
endif()
