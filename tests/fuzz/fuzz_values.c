/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "build/dockerfile/csv.h"
#include "build/dockerfile/duration.h"
#include "build/dockerfile/exec_form.h"
#include "build/dockerfile/expose.h"
#include "build/dockerfile/lint.h"
#include "build/dockerfile/mode.h"
#include "build/dockerfile/mount.h"
#include "build/dockerfile/owner.h"
#include "build/dockerfile/quote.h"
#include "build/dockerfile/stop_signal.h"
#include "tests/fuzz/fuzz_dockerfile.h"

/* One text for every small parser. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	AUTO(free) char *text = fuzz_text(bytes, len);
	AUTO(free) char *quoted = quote(text);
	AUTO(free) char *meant = instruction_suggest(text);
	AUTO(strv) struct strv words = STRV_INIT;
	AUTO(owner) struct owner owner = OWNER_INIT;
	AUTO(lint_config) struct lint_config config = LINT_CONFIG_INIT;
	struct mode mode;
	struct err err;
	int64_t number;

	law(quoted[0] == '"' && (meant == NULL || meant[0] != '\0'));
	if (mode_parse(text, &mode, &err) == 0)
		for (mode_t m = 0; m <= 07777; m += 0111)
			law((mode_apply(&mode, m, m & 1) & ~(mode_t)07777) == 0);
	if (size_parse(text, &number, &err) == 0)
		law(number >= 0);
	duration_parse(text, &number, &err);
	stop_signal_check(text, &err);
	expose_parse(text, &words, NULL, &err);
	exec_form_parse(text, &words, &err);
	csv_parse(text, &words, &err);
	owner_parse(text, &owner, &err);
	lint_config_parse(text, &config, &err);
	return 0;
}
