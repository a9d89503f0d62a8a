import { column, type ObjectRead } from "@sextant/graphql";
import { fetchRequestOf } from "../fetch-request/fetch-request.read.ts";
import { contentText } from "../specification/specification.read.ts";

export const documentType: ObjectRead = {
  kind: "document",
  fields: {
    id: column("id"),
    title: column("title"),
    displayName: column("displayName"),
    description: column("description"),
    format: column("format"),
    kind: column("kind"),
    data: contentText("content"),
    fetchRequest: fetchRequestOf("documentID"),
    revision: column("revision"),
    createdAt: column("createdAt"),
    updatedAt: column("updatedAt"),
  },
};
