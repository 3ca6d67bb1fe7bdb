import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** The beginning of a meta page’s content, and the format that lmdb 3 writes. */
const MAGIC = 0xbeefc0de;
const FORMAT = 2;
/** Every page begins with its number, the transaction that wrote it, flags and the bounds of its free space. */
export const HEADER_BYTES = 24;
const META_BYTES = 144;
const TREE_BYTES = 48;
const LEAST_PAGE_BYTES = 512;
const MOST_PAGE_BYTES = 65_536;
/** More than any system maps. */
const MOST_MAPPED_BYTES = 2 ** 46;
/** The flags of the tree of free pages (integer keys, and options of the file) and those of tables (with versions). */
const FLAG = { integerKeys: 0x0008, ofFile: 0x5008, ofTable: 0x0100 } as const;

export const PAGE = { branch: 1, leaf: 2, overflow: 4, meta: 8 } as const;
const NODE = { overflow: 1, tree: 2 } as const;

/** A B-tree in the file. */
export interface Tree {
  readonly flags: number;
  readonly depth: number;
  /** How many pages it has, those of long values included. */
  readonly pages: number;
  readonly entries: number;
  readonly root: number;
}

/** A state of the file that was committed. The file has two of them; the one with the higher transaction counts. */
export interface Meta {
  readonly transaction: number;
  readonly pageBytes: number;
  readonly lastPage: number;
  readonly free: Tree;
  readonly main: Tree;
}

/** A place in the file that cannot be what LMDB wrote. The message names it. */
export class Damage extends Error {}

/** An entry of a leaf. Its value is in the leaf, or in pages of its own, or it is a tree. */
export interface LeafNode {
  readonly key: Buffer;
  readonly value?: Buffer;
  readonly overflow?: { readonly page: number; readonly pages: number; readonly bytes: number };
  readonly tree?: Tree;
}

/**
 * Reads the pages of an LMDB file without LMDB, which maps files into memory and ends the process if they are not what it expects.
 * Never changes the file. The layout is that of liblmdb’s mdb.c, as lmdb 3 for Node.js contains it.
 */
export class PageFile {
  readonly bytes: number;
  pageBytes = 4096;
  private readonly fd: number;

  private constructor(fd: number) {
    this.fd = fd;
    this.bytes = fstatSync(fd).size;
  }

  static open(path: string): PageFile {
    return new PageFile(openSync(path, 'r'));
  }

  close(): void {
    closeSync(this.fd);
  }

  /** How many pages the file has, the last of which may be cut off. */
  get pages(): number {
    return Math.ceil(this.bytes / this.pageBytes);
  }

  /** Both states. @throws Damage if either is unreadable */
  metas(): [Meta, Meta] {
    const first = this.meta(0);
    const second = this.meta(1);
    if (Math.abs(first.transaction - second.transaction) > 1)
      throw new Damage('its two meta pages do not fit together');
    return [first, second];
  }

  /** The state in one of the first two pages. @throws Damage */
  meta(number: 0 | 1): Meta {
    const at = number * this.pageBytes;
    const page = this.read(at, HEADER_BYTES + META_BYTES);
    if (!page) throw new Damage(`it is cut off: it has ${this.bytes} bytes, which is less than its two meta pages`);
    if (page.every((byte) => byte === 0)) throw new Damage(`meta page ${number} has only zeros`);
    const body = page.subarray(HEADER_BYTES);
    if (body.readUInt32LE(0) !== MAGIC) {
      throw new Damage(number === 0 ? 'it is not an LMDB file' : 'meta page 1 is overwritten');
    }
    const format = body.readUInt32LE(4);
    if (format !== FORMAT) throw new Damage(`it has format ${format} of LMDB, but this version reads format ${FORMAT}`);
    const meta = {
      pageBytes: body.readUInt32LE(24),
      free: treeIn(body, 24),
      main: treeIn(body, 72),
      lastPage: Number(body.readBigUInt64LE(120)),
      transaction: Number(body.readBigUInt64LE(128)),
    };
    const mapped = Number(body.readBigUInt64LE(16));
    const isPossible =
      isPage(page, number, PAGE.meta) &&
      (number === 0 ? isPageSize(meta.pageBytes) : meta.pageBytes === this.pageBytes) &&
      body.readBigUInt64LE(8) === 0n &&
      mapped >= (meta.lastPage + 1) * meta.pageBytes &&
      mapped <= MOST_MAPPED_BYTES &&
      mapped % meta.pageBytes === 0 &&
      (meta.free.flags & FLAG.integerKeys) !== 0 &&
      (meta.free.flags & ~FLAG.ofFile) === 0 &&
      meta.main.flags === 0 &&
      // Transactions are written to the two pages in turn.
      (meta.transaction === 0 || meta.transaction % 2 === number);
    if (!isPossible) throw new Damage(`meta page ${number} is overwritten`);
    this.pageBytes = meta.pageBytes;
    return meta;
  }

  /** A whole page. @throws Damage if it lies behind the end, or is not the page with this number */
  page(number: number): Buffer {
    const page = this.read(number * this.pageBytes, this.pageBytes);
    if (!page) throw new Damage(`it is cut off: it has ${this.bytes} bytes, and page ${number} lies behind its end`);
    if (Number(page.readBigUInt64LE(0)) !== number) throw new Damage(`page ${number} is overwritten`);
    return page;
  }

  /** The value of a leaf’s entry that is not a tree. @throws Damage */
  value({ value, overflow }: LeafNode): Buffer {
    if (value) return value;
    if (!overflow) throw new Damage('an entry has no value');
    const { page, pages, bytes } = overflow;
    const at = page * this.pageBytes;
    const header = this.read(at, HEADER_BYTES);
    const content = this.read(at + HEADER_BYTES, bytes);
    if (!header || !content) {
      throw new Damage(
        `it is cut off: it has ${this.bytes} bytes, and an entry in page ${page} goes on behind its end`,
      );
    }
    const isRight = pages === Math.ceil((HEADER_BYTES + bytes) / this.pageBytes) && header.readUInt32LE(20) === pages;
    if (!isRight || !isPage(header, page, PAGE.overflow)) throw overwritten(page);
    return content;
  }

  private read(at: number, bytes: number): Buffer | undefined {
    if (at + bytes > this.bytes) return undefined;
    const buffer = Buffer.alloc(bytes);
    return readSync(this.fd, buffer, 0, bytes, at) === bytes ? buffer : undefined;
  }
}

function isPageSize(bytes: number): boolean {
  return bytes >= LEAST_PAGE_BYTES && bytes <= MOST_PAGE_BYTES && Number.isInteger(Math.log2(bytes));
}

function isPage(page: Buffer, number: number, flags: number): boolean {
  return Number(page.readBigUInt64LE(0)) === number && flagsOf(page) === flags;
}

export function flagsOf(page: Buffer): number {
  return page.readUInt16LE(18);
}

/** The transaction that wrote the page. */
export function transactionOf(page: Buffer): number {
  return Number(page.readBigUInt64LE(8));
}

/** The numbers of a branch’s pages. @throws Damage */
export function childrenOf(page: Buffer, number: number): { readonly key: Buffer; readonly page: number }[] {
  return [...nodesOf(page, number)].map((at) => {
    const child = page.readUInt32LE(at) + page.readUInt16LE(at + 4) * 2 ** 32;
    return { key: keyAt(page, at, number), page: child };
  });
}

/** The entries of a leaf. @throws Damage */
export function* entriesOf(page: Buffer, number: number): Generator<LeafNode> {
  for (const at of nodesOf(page, number)) {
    const key = keyAt(page, at, number);
    const bytes = page.readUInt32LE(at);
    const flags = page.readUInt16LE(at + 4);
    const start = at + 8 + key.length;
    const stored = (flags & NODE.overflow) !== 0 ? 24 : bytes;
    if (start + stored > page.length || (flags & ~(NODE.overflow | NODE.tree)) !== 0) throw overwritten(number);
    const value = page.subarray(start, start + stored);
    if (flags & NODE.overflow) {
      const [page, pages] = [Number(value.readBigUInt64LE(0)), Number(value.readBigUInt64LE(16))];
      yield { key, overflow: { page, pages, bytes } };
    } else if ((flags & NODE.tree) === 0) yield { key, value };
    else yield { key, tree: tableIn(value, number) };
  }
}

function* nodesOf(page: Buffer, number: number): Generator<number> {
  const lower = page.readUInt16LE(20);
  const upper = page.readUInt16LE(22);
  if (lower > upper || HEADER_BYTES + upper > page.length || lower % 2 !== 0) throw overwritten(number);
  for (let i = 0; i < lower / 2; i++) {
    const at = HEADER_BYTES + page.readUInt16LE(HEADER_BYTES + 2 * i);
    if (at < HEADER_BYTES + upper || at + 8 > page.length) throw overwritten(number);
    yield at;
  }
}

function keyAt(page: Buffer, at: number, number: number): Buffer {
  const bytes = page.readUInt16LE(at + 6);
  if (at + 8 + bytes > page.length) throw overwritten(number);
  return page.subarray(at + 8, at + 8 + bytes);
}

function treeIn(buffer: Buffer, at: number): Tree {
  return {
    flags: buffer.readUInt16LE(at + 4),
    depth: buffer.readUInt16LE(at + 6),
    pages: [8, 16, 24].reduce((sum, offset) => sum + Number(buffer.readBigUInt64LE(at + offset)), 0),
    entries: Number(buffer.readBigUInt64LE(at + 32)),
    root: Number(buffer.readBigUInt64LE(at + 40)),
  };
}

function tableIn(value: Buffer, number: number): Tree {
  if (value.length !== TREE_BYTES) throw overwritten(number);
  const tree = treeIn(value, 0);
  if ((tree.flags & ~FLAG.ofTable) !== 0) throw overwritten(number);
  return tree;
}

function overwritten(number: number): Damage {
  return new Damage(`page ${number} is overwritten`);
}
