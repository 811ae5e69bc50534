/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_OCI_H
#define LAYERS_OCI_H

/* oci - the documents of an image, one noun each: platform, descriptor, manifest, index.  The image
 * config is in config.h.  Documents from elsewhere are kept as the bytes that came; these are parsed
 * copies. */

#include "layers/descriptor.h"
#include "layers/index.h"
#include "layers/manifest.h"
#include "layers/platform.h"

#define CONFIG_MAX (8u << 20) /* bytes of an image config */

#endif
