// Kills this process once its parent has exited, because nothing else would stop this process and its children.
const CHECK_EVERY_MS = 500;

const parent = process.ppid;
setInterval(() => process.ppid !== parent && process.kill(process.pid, 'SIGKILL'), CHECK_EVERY_MS).unref();
