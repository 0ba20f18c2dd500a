"""Server reflection, v1 and v1alpha: the protos with their comments, methods found by their names.

grpcio's own servicer knows v1alpha only, finds no methods, and serves the descriptors of the
generated stubs, which have no comments.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from functools import cached_property
from importlib import resources
from typing import Any

import grpc
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2 as pb

V1 = "grpc.reflection.v1.ServerReflection"
V1ALPHA = "grpc.reflection.v1alpha.ServerReflection"

Answer = pb.ServerReflectionResponse


class Reflection:
    """Answers what services there are and how their messages look."""

    def __init__(self, services: Sequence[str]) -> None:
        """``services``: full names of those that are served, beside reflection itself."""
        self._services = sorted({*services, V1, V1ALPHA})

    def register(self, server: grpc.aio.Server) -> None:
        """Serve it under both of its names; the two versions have the same messages."""
        for service in (V1, V1ALPHA):
            handler = grpc.stream_stream_rpc_method_handler(
                self._answers,
                request_deserializer=pb.ServerReflectionRequest.FromString,
                response_serializer=Answer.SerializeToString,
            )
            methods = {"ServerReflectionInfo": handler}
            handlers = grpc.method_handlers_generic_handler(service, methods)
            server.add_generic_rpc_handlers((handlers,))

    async def _answers(
        self, requests: AsyncIterator[pb.ServerReflectionRequest], _context: Any
    ) -> AsyncIterator[Answer]:
        async for request in requests:
            answer = self._answer(request)
            answer.valid_host = request.host
            answer.original_request.CopyFrom(request)
            yield answer

    def _answer(self, request: pb.ServerReflectionRequest) -> Answer:
        match request.WhichOneof("message_request"):
            case "list_services":
                names = [pb.ServiceResponse(name=name) for name in self._services]
                return Answer(list_services_response=pb.ListServiceResponse(service=names))
            case "file_by_filename":
                return self._file(request.file_by_filename)
            case "file_containing_symbol":
                return self._file(self._files_by_symbol.get(request.file_containing_symbol))
            case "all_extension_numbers_of_type" if (
                request.all_extension_numbers_of_type in self._files_by_symbol
            ):
                name = request.all_extension_numbers_of_type
                numbers = pb.ExtensionNumberResponse(base_type_name=name)
                return Answer(all_extension_numbers_response=numbers)
        return _error(grpc.StatusCode.NOT_FOUND, "no such extension")

    def _file(self, name: str | None) -> Answer:
        if name not in self._files:
            return _error(grpc.StatusCode.NOT_FOUND, "no such file or symbol")
        files = [self._files[one].SerializeToString() for one in self._with_imports(name)]
        response = pb.FileDescriptorResponse(file_descriptor_proto=files)
        return Answer(file_descriptor_response=response)

    def _with_imports(self, name: str) -> Iterator[str]:
        """The file itself first, then what it imports, each once."""
        names = [name]
        for one in names:
            yield one
            names += [each for each in self._files[one].dependency if each not in names]

    @cached_property
    def _files(self) -> dict[str, FileDescriptorProto]:
        data = resources.files("taskgate.server.api").joinpath("descriptors.binpb").read_bytes()
        files = [*FileDescriptorSet.FromString(data).file]
        for module in (health_pb2, pb):
            file = FileDescriptorProto()
            module.DESCRIPTOR.CopyToProto(file)
            files.append(file)
        return {file.name: file for file in (*files, _as_v1(files[-1]))}

    @cached_property
    def _files_by_symbol(self) -> dict[str, str]:
        return {symbol: file.name for file in self._files.values() for symbol in _symbols(file)}


def _as_v1(v1alpha: FileDescriptorProto) -> FileDescriptorProto:
    file = FileDescriptorProto()
    file.CopyFrom(v1alpha)
    file.name, file.package = "grpc/reflection/v1/reflection.proto", "grpc.reflection.v1"
    for message in file.message_type:
        for field in message.field:
            field.type_name = _v1_name(field.type_name)
    for method in file.service[0].method:
        method.input_type = _v1_name(method.input_type)
        method.output_type = _v1_name(method.output_type)
    return file


def _v1_name(name: str) -> str:
    return name.replace(".v1alpha.", ".v1.")


def _symbols(file: FileDescriptorProto) -> Iterator[str]:
    """The full names of everything that a file defines."""
    package = f"{file.package}." if file.package else ""
    yield from _messages(package, file.message_type)
    yield from _enums(package, file.enum_type)
    for service in file.service:
        yield f"{package}{service.name}"
        yield from (f"{package}{service.name}.{method.name}" for method in service.method)


def _messages(scope: str, messages: Iterable[DescriptorProto]) -> Iterator[str]:
    for message in messages:
        inner = f"{scope}{message.name}."
        yield inner.removesuffix(".")
        yield from (f"{inner}{field.name}" for field in message.field)
        yield from (f"{inner}{oneof.name}" for oneof in message.oneof_decl)
        yield from _messages(inner, message.nested_type)
        yield from _enums(inner, message.enum_type)


def _enums(scope: str, enums: Iterable[EnumDescriptorProto]) -> Iterator[str]:
    for enum in enums:
        yield f"{scope}{enum.name}"
        # A value's name stands beside its enum's, not below it.
        yield from (f"{scope}{value.name}" for value in enum.value)


def _error(code: grpc.StatusCode, message: str) -> Answer:
    number, _ = code.value
    return Answer(error_response=pb.ErrorResponse(error_code=number, error_message=message))
