import { ApiClient, ApiError } from '../../../client/api.ts';
import { BASE } from '../base.ts';

const TOKEN = 'pollcast-operator-token';

/** The operator’s token: kept until the tab is closed, and never part of an address. */
export const storedToken = {
  read: (): string | null => sessionStorage.getItem(TOKEN),
  write(token: string | null): void {
    if (token === null) sessionStorage.removeItem(TOKEN);
    else sessionStorage.setItem(TOKEN, token);
  },
};

/** The API client of a signed-in operator. */
export class OperatorApi extends ApiClient {
  private readonly onSignedOut: () => void;

  /** @param onSignedOut called when the server no longer accepts the token */
  constructor(token: string, onSignedOut: () => void) {
    super({ base: BASE, token });
    this.onSignedOut = onSignedOut;
  }

  /** Saves the response to a GET request as a file. */
  async download(path: string, name: string): Promise<void> {
    const response = await this.get(path);
    const content = await response.blob().catch((error) => {
      throw new ApiError(0, String(error));
    });
    saveFile(content, name);
  }

  protected override async request<Read>(
    method: string,
    path: string,
    body: object | undefined,
    read: (response: Response) => Promise<Read>,
  ): Promise<Read> {
    try {
      return await super.request(method, path, body, read);
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) this.onSignedOut();
      throw error;
    }
  }
}

/** Offers a file for download. */
export function saveFile(content: Blob, name: string): void {
  const address = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
