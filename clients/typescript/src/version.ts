/** The version of this client. It travels in the user agent of each call. */
export const VERSION = "0.1.0";
