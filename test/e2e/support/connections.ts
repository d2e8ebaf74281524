import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const TABLES = ['tcp', 'tcp6', 'udp', 'udp6'];
/** Of a socket that listens, or was never led anywhere. */
const NOWHERE = /^0+$/u;
/** 127.0.0.1 in the order of the kernel's bytes, alone or within IPv6, and ::1. */
const LOOPBACK = /(?:^|0000FFFF)0100007F$|^0{24}01000000$/u;

/** Where sockets of these processes lead beyond this machine, as the kernel of Linux lists them. */
export function connectionsBeyond(pids: readonly number[]): readonly string[] {
  const own = new Set(pids.flatMap(socketsOf));
  return TABLES.flatMap((table) =>
    readFileSync(`/proc/self/net/${table}`, 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .flatMap((line) => {
        const fields = line.trim().split(/\s+/u);
        const [address = ''] = fields[2]?.split(':') ?? [];
        return own.has(fields[9] ?? '') && !NOWHERE.test(address) && !LOOPBACK.test(address) ? [`${table} ${fields[2] ?? ''}`] : [];
      }),
  );
}

function socketsOf(pid: number): readonly string[] {
  const folder = `/proc/${String(pid)}/fd`;
  return readdirSync(folder).flatMap((name) => /^socket:\[(\d+)\]$/u.exec(linkOf(`${folder}/${name}`))?.[1] ?? []);
}

/** Handles come and go. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
