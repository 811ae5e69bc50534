# layers/ - the material: digests, tar, codecs, trees, the store
noinst_LIBRARIES += liblayers.a
liblayers_a_SOURCES = \
	layers/apply.c layers/apply.h layers/apply_parts.h \
	layers/apply_cursor.c \
	layers/apply_file.c \
	layers/apply_listing.c \
	layers/apply_record.c \
	layers/archive.c layers/archive.h \
	layers/archive_library.c \
	layers/check.c layers/check.h layers/check_local.h \
	layers/check_records.c \
	layers/codec.c layers/codec.h \
	layers/codec_blocks.c layers/codec_blocks.h \
	layers/codec_gzip.c \
	layers/codec_gzip_read.c \
	layers/codec_kinds.h \
	layers/codec_zstd.c \
	layers/config.c layers/config.h \
	layers/config_format.c \
	layers/db.c layers/db.h \
	layers/db_file.c layers/db_file.h \
	layers/db_schema.c layers/db_schema.h \
	layers/descriptor.c layers/descriptor.h \
	layers/diff.c layers/diff.h \
	layers/digest.c layers/digest.h \
	layers/edit.c layers/edit.h \
	layers/entry.c layers/entry.h \
	layers/flatten.c layers/flatten.h \
	layers/gc.c layers/gc.h \
	layers/gc_mark.c layers/gc_mark.h \
	layers/index.c layers/index.h \
	layers/index_edit.c layers/index_edit.h \
	layers/ingest.c \
	layers/inodes.c layers/inodes.h \
	layers/layer.c layers/layer.h \
	layers/layer_archive.c layers/layer_archive.h \
	layers/listing.c layers/listing.h \
	layers/listing_format.c layers/listing_format.h \
	layers/listing_links.c \
	layers/listing_old.c \
	layers/listing_record.c layers/listing_record.h \
	layers/manifest.c layers/manifest.h \
	layers/oci.h \
	layers/ownership.c layers/ownership.h \
	layers/pin.c layers/pin.h \
	layers/platform.c layers/platform.h \
	layers/reach.c layers/reach.h \
	layers/rebase.c layers/rebase.h \
	layers/roll.c layers/roll.h layers/roll_parts.h \
	layers/roll_compare.c layers/roll_compare.h \
	layers/roll_find.c \
	layers/roll_merge.c layers/roll_merge.h \
	layers/roll_read.c \
	layers/roll_walk.c \
	layers/sink.c \
	layers/store.c layers/store.h layers/store_local.h \
	layers/store_blob.c \
	layers/store_cache.c \
	layers/store_db.c \
	layers/store_layer.c \
	layers/store_learn.c \
	layers/store_name.c \
	layers/store_tree.c \
	layers/stream.c layers/stream.h \
	layers/stream_ahead.c \
	layers/tar.h \
	layers/tar_entry.c \
	layers/tar_header.c layers/tar_header.h \
	layers/tar_pax.c layers/tar_pax.h \
	layers/tar_read.c layers/tar_read.h \
	layers/tar_write.c \
	layers/texts.c layers/texts.h \
	layers/tree.c layers/tree.h \
	layers/usage.c layers/walk.h \
	layers/view.c layers/view.h layers/view_nodes.c layers/view_nodes.h \
	layers/view_find.c \
	layers/view_walk.c \
	layers/xattr.c layers/xattr.h
