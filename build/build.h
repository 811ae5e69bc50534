/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_BUILD_H
#define BUILD_BUILD_H

#include <stdbool.h>

#include "base/err.h"
#include "base/strv.h"
#include "layers/codec.h"
#include "layers/oci.h"
#include "layers/store.h"
#include "registry/session.h"

/* build - a Dockerfile becomes an image: what the caller asks for, and the one call that does it.
 *
 * build_run() runs in the coordinator: single-threaded, with worker_signals() installed.  It emits
 * events and never prints. */

/* What is asked for: the image, or what can be said of the Dockerfile without running anything. */
enum build_call { BUILD_CALL_BUILD, BUILD_CALL_CHECK, BUILD_CALL_OUTLINE, BUILD_CALL_TARGETS };

enum build_pull { BUILD_PULL_MISSING, BUILD_PULL_ALWAYS, BUILD_PULL_NEVER };

enum build_output_type {
	BUILD_OUTPUT_IMAGE,  /* into the store, under the tags; pushed when push is set */
	BUILD_OUTPUT_OCI,    /* OCI archive, or layout directory with is_tar false */
	BUILD_OUTPUT_DOCKER, /* as `docker save` writes */
	BUILD_OUTPUT_TAR,    /* the root file system as a tar */
	BUILD_OUTPUT_LOCAL,  /* the root file system as a directory */
};

struct build_output {
	enum build_output_type type;
	char *dest;  /* path; "-": stdout; NULL for IMAGE */
	bool is_tar; /* OCI: an archive, else a directory */
	bool push;
	enum codec_kind codec; /* of new layers */
	enum codec_level level;
};
/* Parses "type=oci,dest=x.tar,compression=zstd" or a bare path (LOCAL), a bare "-" (TAR), as
 * buildx. */
int build_output_parse(const char *text, struct build_output *out, struct err *err);
void build_output_free(struct build_output *o);

struct build_options {
	const char *context; /* directory, address of a repository or archive, or "-" for a Dockerfile or tar on
				stdin */
	const char *file; /* -f; NULL: Dockerfile, then Containerfile, in the context; "-": stdin */
	struct strv tags; /* as given; normalised here */
	struct strv build_args; /* NAME=value, or NAME to take it from our environment */
	struct strv labels;     /* NAME=value */
	struct strv contexts;   /* --build-context name=value */
	struct strv secrets;    /* --secret id=...,src=...|env=... */
	struct strv ssh;        /* --ssh default|id[=socket|key,...] */
	struct strv add_hosts;  /* --add-host name:address */
	const char *target;
	struct strv platforms;
	bool no_cache;
	struct strv no_cache_filter; /* stage names */
	enum build_pull pull;
	const char *network; /* NULL or "default", "host", "none" */
	struct build_output *outputs;
	size_t output_count; /* 0: one IMAGE */
	bool push;           /* of the IMAGE output */
	const char *iidfile;
	const char *metadata_file;
	unsigned jobs; /* steps at once; 0: one per processor, at least 2 */
	bool explain;  /* a miss says which input differs */
	enum build_call call;
	bool call_json; /* its answer is JSON */
	struct session_options session;
};
#define BUILD_OPTIONS_INIT      \
	{                       \
		.context = NULL \
	}

struct build_result {
	char *answer;  /* of a call other than BUILD, for free(); NULL: an image was made */
	bool is_faulty; /* CHECK: there are warnings, or it could not be built */
	struct descriptor descriptor; /* of the manifest or index */
	struct digest config;         /* image ID, of the first platform */
};

/* ERR_INPUT with file, line and excerpt for the Dockerfile's mistakes, ERR_STEP with the status of
 * a RUN that failed. */
int build_run(struct store *store, const struct build_options *options, struct build_result *out,
	struct err *err);

#endif
