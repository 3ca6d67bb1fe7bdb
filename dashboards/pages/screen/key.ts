/**
 * The key in the address with which this screen may hide figures everywhere, and show its room’s join code; the operator’s page
 * opens screens with it. Where anybody may vote as anybody, none is needed.
 */
export const KEY = new URLSearchParams(location.hash.slice(1)).get('key') ?? '';
