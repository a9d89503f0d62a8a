/** The name by which a connection asks to become a link (RFC 9110, 7.8): the end of it says which form the frames have. */
export const LINK_PROTOCOL = "sextant-link-1";
