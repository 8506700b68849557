# The targets that people use; meson.build has the build itself.
FUZZ_SECONDS = 60
JOBS = 2

.PHONY: all demo test fuzz coverage lint format bench soak install clean

all:
	@tools/setup build
	@tools/configure build
	@ninja -C build -j $(JOBS) --quiet program

demo:
	@tools/setup demo
	@tools/configure build
	@ninja -C build -j $(JOBS) --quiet program bench/make_reports bench/make_history
	@demo/run

test:
	@tools/setup test
	@JOBS=$(JOBS) tools/test-all

fuzz:
	@tools/setup test
	@JOBS=$(JOBS) tools/test-all --fuzz $(FUZZ_SECONDS)

coverage:
	@tools/setup test
	@JOBS=$(JOBS) tools/coverage

lint:
	@tools/lint

format:
	@git ls-files --cached --others --exclude-standard 'src/*.[ch]' 'tests/*.[ch]' 'bench/*.[ch]' | xargs -r clang-format -i

bench: all
	@tools/setup bench
	@bench/run

soak:
	@tools/setup test
	@tools/configure build -Dtests=true
	@ninja -C build -j $(JOBS) --quiet
	@tests/crash/soak

install: all
	@meson install -C build --no-rebuild

clean:
	@rm -rf build build-asan build-coverage build-fuzz build-tsan
